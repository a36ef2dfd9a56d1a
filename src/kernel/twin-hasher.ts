import { invariant } from '../model/invariant.ts';
import type { Hasher, HashStream } from '../ports/hasher.ts';
import { checkLengths } from './packed.ts';
import { BLOCK_BYTES, compress, digestOf, initialState } from './twin-compression.ts';

const DIGEST_BYTES = 32;
const LENGTH_BYTES = 8;

/** SHA-256 in plain TypeScript: what the WASM must equal. */
export class TwinHasher implements Hasher {
  hash(message: Uint8Array): Uint8Array {
    return this.stream().update(message).digest();
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

/** @source FIPS 180-4: 5.1.1 (padding), 6.2.2. */
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
    const buffered = this.#length % BLOCK_BYTES;
    const hasRoom = buffered + 1 + LENGTH_BYTES <= BLOCK_BYTES;
    const padding = new Uint8Array((hasRoom ? BLOCK_BYTES : 2 * BLOCK_BYTES) - buffered);
    padding[0] = 0x80;
    const bitLength = BigInt(this.#length) * 8n;
    new DataView(padding.buffer).setBigUint64(padding.length - LENGTH_BYTES, bitLength);
    this.update(padding);
    this.#isOpen = false;
    return digestOf(this.#state);
  }
}
