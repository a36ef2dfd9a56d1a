import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeForkProof, encodeForkProof } from '../../src/log/fork-proof.ts';
import { fromHex, toHex } from '../../src/model/bytes.ts';
import golden from './golden.json' with { type: 'json' };
import { forkProof, hash } from './samples.ts';

const bytes = encodeForkProof(forkProof);

describe('the format of a fork proof', () => {
  it('today’s bytes are the golden ones', () => {
    expect(toHex(bytes)).toBe(golden.forkProof);
  });

  it('golden bytes read as what they were made of', () => {
    const read = decodeForkProof(hash, fromHex(golden.forkProof));
    expect(read).toEqual({ ok: true, value: forkProof });
  });

  it('no prefix of it reads, nor does one byte more', () => {
    for (let length = 0; length < bytes.length; length++) {
      expect(decodeForkProof(hash, bytes.slice(0, length)).ok).toBe(false);
    }
    expect(decodeForkProof(hash, Uint8Array.from([...bytes, 0])).ok).toBe(false);
  });

  it('whatever reads has exactly its own bytes', () => {
    const flips = fc.array(fc.record({ at: fc.nat(bytes.length - 1), value: fc.nat(255) }), {
      minLength: 1,
      maxLength: 4,
    });
    let count = 0;
    fc.assert(
      fc.property(flips, (changes) => {
        const changed = bytes.slice();
        for (const { at, value } of changes) changed[at] = value;
        const read = decodeForkProof(hash, changed);
        if (!read.ok) return;
        count += 1;
        expect(encodeForkProof(read.value)).toEqual(changed);
      }),
      { numRuns: 500 },
    );
    expect(count).toBeGreaterThan(0);
  });

  it('what was read does not change with the buffer it came in', () => {
    const received = Buffer.from(bytes);
    const read = decodeForkProof(hash, received);
    received.fill(0xff);
    expect(read).toEqual({ ok: true, value: forkProof });
  });
});
