import { invariant } from '../model/invariant.ts';
import type { Hasher, HashStream } from '../ports/hasher.ts';
import { checkLengths } from './packed.ts';
import { BLOCK_BYTES, compress, digestOf, initialState } from './twin-compression.ts';

const DIGEST_BYTES = 32;
const LENGTH_BYTES = 8;

/** SHA-256 in plain TypeScript: what the WASM must equal. */
export class TwinHasher implements Hasher {
  hash(message: Uint8Array): Uint8Array {
    const state = initialState();
    const restOffset = message.length - (message.length % BLOCK_BYTES);
    for (let offset = 0; offset < restOffset; offset += BLOCK_BYTES) {
      compress(state, message, offset);
    }
    return finish(state, message.subarray(restOffset), message.length);
  }

  hashBatch(bytes: Uint8Array, lengths: Uint32Array): Uint8Array {
    checkLengths(bytes, lengths);
    const digests = new Uint8Array(DIGEST_BYTES * lengths.length);
    let offset = 0;
    lengths.forEach((length, index) => {
      digests.set(this.hash(bytes.subarray(offset, offset + length)), DIGEST_BYTES * index);
      offset += length;
    });
    return digests;
  }

  stream(): HashStream {
    return new TwinHashStream();
  }
}

class TwinHashStream implements HashStream {
  readonly #state = initialState();
  readonly #buffer = new Uint8Array(BLOCK_BYTES);
  #length = 0;
  #isOpen = true;

  update(chunk: Uint8Array): this {
    invariant(this.#isOpen, 'a hash stream is used until its digest is taken');
    let offset = 0;
    while (offset < chunk.length) {
      const buffered = this.#length % BLOCK_BYTES;
      const part = chunk.subarray(offset, offset + BLOCK_BYTES - buffered);
      this.#buffer.set(part, buffered);
      this.#length += part.length;
      offset += part.length;
      if (this.#length % BLOCK_BYTES === 0) compress(this.#state, this.#buffer, 0);
    }
    return this;
  }

  digest(): Uint8Array {
    invariant(this.#isOpen, 'a hash stream is used until its digest is taken');
    this.#isOpen = false;
    const rest = this.#buffer.subarray(0, this.#length % BLOCK_BYTES);
    return finish(this.#state, rest, this.#length);
  }
}

/**
 * Takes the padded end of a message into `state`.
 *
 * @param rest What lies after the last whole block, less than a block.
 * @param length Bytes of the whole message.
 * @returns its digest.
 * @source FIPS 180-4, 5.1.1.
 */
function finish(state: Int32Array, rest: Uint8Array, length: number): Uint8Array {
  const hasRoom = rest.length + 1 + LENGTH_BYTES <= BLOCK_BYTES;
  const end = new Uint8Array(hasRoom ? BLOCK_BYTES : 2 * BLOCK_BYTES);
  end.set(rest);
  end[rest.length] = 0x80;
  const view = new DataView(end.buffer);
  view.setUint32(end.length - 8, Math.floor(length / 2 ** 29));
  view.setUint32(end.length - 4, length << 3);
  for (let offset = 0; offset < end.length; offset += BLOCK_BYTES) compress(state, end, offset);
  return digestOf(state);
}
