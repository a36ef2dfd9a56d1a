import { describe, expect, it } from 'vitest';
import {
  decodeNote,
  encodeNote,
  NOTE_BYTES,
  NOTE_KINDS,
} from '../../src/gossip/links/mqtt-note.ts';
import { decodePacket, encodePacket } from '../../src/gossip/links/mqtt-packet.ts';
import {
  deriveLinkKeys,
  deriveWho,
  NoteSeal,
  PacketOpener,
  PacketSeal,
} from '../../src/gossip/links/mqtt-seal.ts';
import { toHex } from '../../src/model/bytes.ts';
import golden from './golden.json' with { type: 'json' };

const filled = (fill: number, length: number) => new Uint8Array(length).fill(fill);
const KEY = filled(0x21, 32);
const TOPIC = 'vb1/0102030405060708/all';

const note = {
  kind: 'open',
  inbox: filled(0xa1, 16),
  joins: 7,
  who: deriveWho(KEY, filled(0xb1, 32)),
  ownId: filled(0xc1, 8),
  yourId: filled(0, 8),
} as const;
const noteBytes = encodeNote(note);

const packet = { kind: 'frame', heard: 258, taken: 65_537, frame: filled(0xd1, 5) } as const;
const packetBytes = encodePacket(packet);

const keys = deriveLinkKeys(KEY, {
  openerInbox: filled(0xa1, 16),
  acceptorInbox: filled(0xa2, 16),
  openerId: filled(0xc1, 8),
  acceptorId: filled(0xc2, 8),
});

describe('what crosses a broker', () => {
  it('is as it ever was', () => {
    const seal = new PacketSeal(keys.toAcceptor, filled(0xc2, 8));
    seal.counter = 259;
    expect(golden).toMatchObject({
      mqttNote: toHex(noteBytes),
      mqttSealedNote: toHex(new NoteSeal(KEY).seal(TOPIC, noteBytes, filled(0xe1, 16))),
      mqttPacket: toHex(packetBytes),
      mqttSealedPacket: toHex(seal.seal(packetBytes)),
      mqttToOpener: toHex(keys.toOpener),
    });
  });

  it('reads as what it was made of, whole and at its place alone', () => {
    const seal = new NoteSeal(KEY);
    const sealed = seal.seal(TOPIC, noteBytes, filled(0xe1, 16));
    expect(decodeNote(seal.open(TOPIC, sealed)!)).toEqual(note);
    expect(seal.open('vb1/0102030405060708/else', sealed)).toBe(null);
    for (let length = 0; length < sealed.length; length++) {
      expect(seal.open(TOPIC, sealed.slice(0, length))).toBe(null);
    }
    const packets = new PacketSeal(keys.toOpener, filled(0xc1, 8));
    const opener = new PacketOpener(keys.toOpener);
    packets.seal(packetBytes);
    const second = packets.seal(packetBytes);
    const opened = opener.open(second)!;
    expect(opened.counter).toBe(1);
    expect(decodePacket(opened.plain)).toEqual(packet);
    expect(new PacketOpener(keys.toAcceptor).open(second)).toBe(null);
    for (let at = 0; at < second.length; at++) {
      const changed = second.slice();
      changed[at]! ^= 1;
      expect(opener.open(changed)).toBe(null);
    }
  });

  it('is refused where no honest end says it', () => {
    expect(noteBytes.length).toBe(NOTE_BYTES);
    const ofKind = (kind: number) =>
      Uint8Array.from(noteBytes, (byte, at) => (at === 16 ? kind : byte));
    for (const [index, kind] of NOTE_KINDS.entries()) {
      expect(decodeNote(ofKind(index + 1))?.kind).toBe(kind);
    }
    for (const kind of [0, NOTE_KINDS.length + 1, 255]) expect(decodeNote(ofKind(kind))).toBe(null);
    expect(decodeNote(noteBytes.slice(1))).toBe(null);
    expect(decodePacket(packetBytes.slice(0, 12))).toBe(null);
    expect(decodePacket(Uint8Array.from(packetBytes, (byte, at) => (at === 0 ? 2 : byte)))).toBe(
      null,
    );
    expect(decodePacket(Uint8Array.from(packetBytes, (byte, at) => (at === 0 ? 9 : byte)))).toBe(
      null,
    );
  });
});
