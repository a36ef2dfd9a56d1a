import { describe, expect, it } from 'vitest';
import { KindTotals } from '../../src/gossip/counters.ts';
import { AssemblyRoom, writeFragment } from '../../src/gossip/fragment.ts';
import { MemoryTransport } from '../../src/gossip/links/memory.ts';
import { encodeMessage } from '../../src/gossip/message-writer.ts';
import type { Message } from '../../src/gossip/messages.ts';
import { GOSSIP_SETTINGS } from '../../src/gossip/settings.ts';
import { Wire, type WireHandler } from '../../src/gossip/wire.ts';
import { toHex } from '../../src/model/bytes.ts';
import type { Link } from '../../src/ports/link.ts';
import type { Session } from '../../src/ports/session.ts';
import { hash, idOf } from './gossip-samples.ts';
import { openPlainSessions } from './gossip-sessions.ts';
import { SeededRandom, Stage } from './gossip-stage.ts';

/** A wire, and the bare link and session at its other end. */
async function wired() {
  const stage = new Stage();
  const network = new MemoryTransport({ defer: stage.defer });
  const room = new AssemblyRoom(100_000);
  const heard: Message[] = [];
  const ends: string[] = [];
  const handler: WireHandler = {
    onMessages: (_wire, messages) => heard.push(...messages),
    onProgress: () => undefined,
    onRoom: () => undefined,
    onBeat: () => undefined,
    standBysOf: () => [],
    onLoss: () => undefined,
    onLeave: (_wire, reason) => ends.push(reason),
    onEnd: () => ends.push('end'),
  };
  const sessions = openPlainSessions();
  let accept: (link: Link) => void = () => undefined;
  const accepted = new Promise<Link>((done) => {
    accept = done;
  });
  await network.listen('memory:wire', (link) => accept(link));
  const dialled = network.dial('memory:wire', new AbortController().signal);
  await stage.settle();
  const far = await dialled;
  const frames: Uint8Array[] = [];
  let isClosed = false;
  far.handle({
    onFrame: (frame) => frames.push(frame),
    onDrain: () => undefined,
    onClose: () => {
      isClosed = true;
    },
  });
  const link = await accepted;
  const wire = new Wire(
    {
      timers: stage,
      random: new SeededRandom(1),
      hash,
      settings: GOSSIP_SETTINGS,
      defer: stage.defer,
      room,
      scratch: new Uint8Array(65_535),
      totals: new KindTotals(),
      priorityOf: () => 'normal',
    },
    handler,
    { link, session: sessions.near, initiator: false, ordinal: 1 },
  );
  link.handle(wire);
  return {
    stage,
    wire,
    far,
    session: sessions.far,
    room,
    heard,
    ends,
    frames,
    closed: () => isClosed,
  };
}

function frameOf(session: Session, ...messages: Message[]): Uint8Array {
  const plain = new Uint8Array(2_000);
  let used = 0;
  for (const message of messages) {
    used = writeFragment(plain, used, encodeMessage(message), { lane: 'urgent', more: false });
  }
  return session.seal(plain.subarray(0, used));
}

const NEIGHBOURS: Message = { kind: 'neighbours', peers: [idOf('x')] };

describe('a wire', () => {
  it('gives back the room of a message that never became whole', async () => {
    const { stage, far, session, room } = await wired();
    const plain = new Uint8Array(5_003);
    writeFragment(plain, 0, new Uint8Array(5_000), { lane: 'bulk', more: true });
    far.send(session.seal(plain));
    await stage.settle();
    expect(room.usedBytes).toBeGreaterThanOrEqual(5_000);
    far.close();
    await stage.settle();
    expect(room.usedBytes).toBe(0);
  });

  it('hears all of a frame that ends in a good-bye, then ends', async () => {
    const { stage, far, session, heard, ends, closed } = await wired();
    far.send(frameOf(session, NEIGHBOURS, { kind: 'bye', reason: 'closing' }));
    await stage.settle();
    expect(heard).toEqual([NEIGHBOURS]);
    expect(ends).toEqual(['peer left: closing', 'end']);
    expect(closed()).toBe(true);
  });

  it('answers a ping itself, with its token', async () => {
    const { stage, far, session, frames, heard } = await wired();
    far.send(frameOf(session, { kind: 'ping', token: 0x01020304 }));
    await stage.settle();
    const opened = session.open(frames[0]!);
    expect(opened.ok && toHex(opened.plain)).toBe('0000051101020304');
    expect(heard).toEqual([]);
  });

  it.each([
    [
      'a frame that was not sealed in this session',
      (session: Session) => session.seal(NONE).fill(9),
    ],
    ['a fragment without an end', (session: Session) => session.seal(Uint8Array.of(0, 0, 9, 1))],
    [
      'a message that cannot be read',
      (session: Session) => session.seal(Uint8Array.of(0, 0, 1, 1)),
    ],
  ])('ends at %s', async (_name, make) => {
    const { stage, far, session, ends, closed } = await wired();
    far.send(make(session));
    await stage.settle();
    expect(ends.length).toBe(2);
    expect(ends[1]).toBe('end');
    expect(closed()).toBe(true);
  });

  it('passes over what a later version says', async () => {
    const { stage, wire, far, session, heard, ends } = await wired();
    far.send(session.seal(Uint8Array.of(0, 0, 2, 250, 1)));
    far.send(frameOf(session, NEIGHBOURS));
    await stage.settle();
    expect(heard).toEqual([NEIGHBOURS]);
    expect(ends).toEqual([]);
    expect(wire.counters.messagesReceived).toEqual({ unknown: 1, neighbours: 1 });
  });

  it('writes no more after it left, and is read until the other end closes', async () => {
    const { stage, wire, far, session, heard, ends, frames } = await wired();
    wire.leave('duplicate-link', 1_000);
    wire.send('urgent', NEIGHBOURS);
    await stage.settle();
    expect(frames.length).toBe(1);
    far.send(frameOf(session, NEIGHBOURS));
    await stage.settle();
    expect(heard).toEqual([NEIGHBOURS]);
    expect(ends).toEqual(['duplicate-link']);
    await stage.advance(1_000);
    expect(ends).toEqual(['duplicate-link', 'end']);
  });
});

const NONE = new Uint8Array(0);
