import { describe, expect, it } from 'vitest';
import { HallOpener } from '../../src/gossip/hall-seal.ts';
import { fromHex } from '../../src/model/bytes.ts';
import golden from './golden.json' with { type: 'json' };

describe('a frame for all in a hall', () => {
  it('golden bytes open to what was sealed in them', () => {
    const keys = {
      key: fromHex(golden.hallFrameKey),
      verifier: fromHex(golden.hallFrameVerifier),
    };
    const opener = new HallOpener(keys, 0);
    const messages = [Uint8Array.of(16, 0, 0, 0, 9), Uint8Array.of(16, 0, 0, 1, 0)];
    expect(opener.open(fromHex(golden.hallFrame))).toEqual(messages);
    expect(opener.next).toBe(259);
  });
});
