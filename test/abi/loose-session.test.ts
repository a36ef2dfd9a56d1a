import { createDecipheriv } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { CipherState } from '../../src/identity/cipher-state.ts';
import { LooseSession } from '../../src/identity/loose-session.ts';
import { LOOSE_PROLOGUE } from '../../src/identity/session-identity.ts';
import { toHex } from '../../src/model/bytes.ts';

const KEY = Uint8Array.from({ length: 32 }, (_, n) => n);
const COUNTER = 0x1_0203_0405;
const PLAIN = new TextEncoder().encode('a loose frame');

describe('a sealed frame of a loose session', () => {
  it('lies on the wire as it ever did', () => {
    const session = new LooseSession({
      peer: { avatar: KEY, sessionStatic: KEY, hello: KEY },
      handshakeHash: KEY,
      sending: new CipherState(KEY, COUNTER),
      receiving: new CipherState(KEY),
    });
    const frame = session.seal(PLAIN);
    expect(toHex(frame)).toBe(
      '000000010203040550a366bfbcb8d6ecb56f6d44a93c21559527425c4660b8d438e201923e',
    );
    const nonce = Buffer.alloc(12);
    nonce.writeBigUInt64LE(Buffer.from(frame).readBigUInt64BE(0), 4);
    const open = createDecipheriv('chacha20-poly1305', KEY, nonce, { authTagLength: 16 });
    open.setAuthTag(frame.subarray(-16));
    expect(open.update(frame.subarray(8, -16))).toEqual(Buffer.from(PLAIN));
    expect(() => open.final()).not.toThrow();
  });

  it('follows a handshake under a prologue of its own', () => {
    expect(new TextDecoder().decode(LOOSE_PROLOGUE)).toBe('vb1/noise loose 1');
  });
});
