import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeBlock, signedBytesOf } from '../../src/model/block.ts';
import { fromHex, toHex } from '../../src/model/bytes.ts';
import { decodeBallotNote, decodeCertificate } from '../../src/model/certificate.ts';
import { decodeCut } from '../../src/model/cut.ts';
import { decodeHandOver, encodeHandOver } from '../../src/model/hand-over.ts';
import { decodeMetablock } from '../../src/model/metablock.ts';
import golden from './golden.json' with { type: 'json' };
import {
  block,
  certificate,
  cut,
  group,
  handOver,
  handOverBlock,
  handOverBytes,
  hash,
  metablock,
  note,
  split,
  successor,
} from './samples.ts';

const FORMATS = [
  { name: 'block', bytes: block.bytes, decode: (bytes: Uint8Array) => decodeBlock(hash, bytes) },
  {
    name: 'metablock',
    bytes: metablock.bytes,
    decode: (bytes: Uint8Array) => decodeMetablock(hash, bytes),
  },
  { name: 'certificate', bytes: certificate.bytes, decode: decodeCertificate },
  { name: 'note', bytes: note.bytes, decode: decodeBallotNote },
  { name: 'cut', bytes: cut.bytes, decode: decodeCut },
] as const;

describe('formats', () => {
  it('a Sync Group is identified as it ever was', () => {
    expect(group).toBe(golden.group);
  });

  it('ids and Issuing Hash are derived as they ever were', () => {
    expect(block.id).toBe(golden.blockId);
    expect(metablock.id).toBe(golden.metablockId);
    expect(metablock.issuingHash).toBe(golden.issuingHash);
  });

  it.each(FORMATS)('$name: today’s bytes are the golden ones', ({ name, bytes }) => {
    expect(toHex(bytes)).toBe(golden[name]);
  });

  it.each(FORMATS)('$name: golden bytes read as what they were made of', ({ name, decode }) => {
    const read = decode(fromHex(golden[name]));
    expect(read.ok && toHex(read.value.bytes)).toBe(golden[name]);
    const made = { block, metablock, certificate, note, cut }[name];
    expect(read.ok && read.value).toEqual(made);
  });

  it.each(FORMATS)('$name: no prefix of it reads, nor does one byte more', ({ bytes, decode }) => {
    for (let length = 0; length < bytes.length; length++) {
      expect(decode(bytes.slice(0, length)).ok).toBe(false);
    }
    expect(decode(Uint8Array.from([...bytes, 0])).ok).toBe(false);
  });

  it.each(FORMATS)('$name: whatever reads has exactly its own bytes', ({ bytes, decode }) => {
    const flips = fc.array(fc.record({ at: fc.nat(bytes.length - 1), value: fc.nat(255) }), {
      minLength: 1,
      maxLength: 4,
    });
    fc.assert(
      fc.property(flips, (changes) => {
        const changed = bytes.slice();
        for (const { at, value } of changes) changed[at] = value;
        const read = decode(changed);
        if (read.ok) expect(read.value.bytes).toEqual(changed);
      }),
      { numRuns: 500 },
    );
  });

  it.each(FORMATS)('$name: what was read does not change with the buffer it came in', (format) => {
    const received = Buffer.from(format.bytes);
    const read = format.decode(received);
    received.fill(0xff);
    expect(read.ok && toHex(read.value.bytes)).toBe(golden[format.name]);
    const made = { block, metablock, certificate, note, cut }[format.name];
    expect(read.ok && read.value).toEqual(made);
  });

  it('what is signed is all but the signature', () => {
    expect(signedBytesOf(block).length).toBe(block.bytes.length - 64);
  });
});

describe('a hand-over', () => {
  it('has the golden bytes, and they read as what they were made of', () => {
    expect(toHex(handOverBytes)).toBe(golden.handOver);
    expect(decodeHandOver(fromHex(golden.handOver))).toEqual({ ok: true, value: handOver });
    expect(toHex(handOverBlock.bytes)).toBe(golden.handOverBlock);
    const read = decodeBlock(hash, fromHex(golden.handOverBlock));
    expect(read).toEqual({ ok: true, value: handOverBlock });
  });

  it('and a split lead to the groups that they ever led to', () => {
    expect(successor.id).toBe(golden.successor);
    expect(split.id).toBe(golden.split);
  });

  it('reads from no prefix of it, nor with one byte more', () => {
    for (let length = 0; length < handOverBytes.length; length++) {
      expect(decodeHandOver(handOverBytes.slice(0, length)).ok).toBe(false);
    }
    expect(decodeHandOver(Uint8Array.from([...handOverBytes, 0])).ok).toBe(false);
  });

  it('has one encoding: whatever reads is written with the bytes it came in', () => {
    const flips = fc.array(
      fc.record({ at: fc.nat(handOverBytes.length - 1), value: fc.nat(255) }),
      { minLength: 1, maxLength: 4 },
    );
    fc.assert(
      fc.property(flips, (changes) => {
        const changed = handOverBytes.slice();
        for (const { at, value } of changes) changed[at] = value;
        const read = decodeHandOver(changed);
        if (read.ok) expect(toHex(encodeHandOver(read.value))).toBe(toHex(changed));
      }),
      { numRuns: 500 },
    );
  });
});
