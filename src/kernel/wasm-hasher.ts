import { invariant } from '../model/invariant.ts';
import type { Hasher, HashStream } from '../ports/hasher.ts';
import { type ChunkLimits, nextChunk } from './chunk.ts';
import { checkLengths } from './packed.ts';
import type { WasmModule } from './wasm-module.ts';

const DIGEST_BYTES = 32;

/** SHA-256 in the WASM: batches over four lanes where the build has SIMD. */
export class WasmHasher implements Hasher {
  readonly #module: WasmModule;
  readonly #limits: ChunkLimits;

  constructor(module: WasmModule) {
    this.#module = module;
    const { itemCountMax, inputBytesMax } = module;
    this.#limits = { itemCountMax, byteCountMax: inputBytesMax, itemBytesMax: inputBytesMax };
  }

  hash(message: Uint8Array): Uint8Array {
    const { bytes, areas, exports, inputBytesMax } = this.#module;
    if (message.length > inputBytesMax) return this.stream().update(message).digest();
    bytes.set(message, areas.input);
    exports.hashMessage(message.length);
    return bytes.slice(areas.result, areas.result + DIGEST_BYTES);
  }

  hashBatch(bytes: Uint8Array, lengths: Uint32Array): Uint8Array {
    checkLengths(bytes, lengths);
    const digests = new Uint8Array(DIGEST_BYTES * lengths.length);
    let offset = 0;
    for (let from = 0; from < lengths.length; ) {
      const { end, byteCount } = nextChunk(lengths, from, this.#limits);
      if (end === from) {
        const length = lengths[from]!;
        digests.set(this.hash(bytes.subarray(offset, offset + length)), DIGEST_BYTES * from);
        offset += length;
        from++;
        continue;
      }
      const chunk = bytes.subarray(offset, offset + byteCount);
      this.#hashChunk(chunk, lengths.subarray(from, end), digests.subarray(DIGEST_BYTES * from));
      offset += byteCount;
      from = end;
    }
    return digests;
  }

  stream(): HashStream {
    return new WasmHashStream(this.#module);
  }

  #hashChunk(chunk: Uint8Array, lengths: Uint32Array, target: Uint8Array): void {
    const { bytes, words, areas, exports } = this.#module;
    bytes.set(chunk, areas.input);
    words.set(lengths, areas.lengths / 4);
    exports.hashBatch(lengths.length, chunk.length);
    target.set(bytes.subarray(areas.output, areas.output + DIGEST_BYTES * lengths.length));
  }
}

/**
 * A running hash. Its context lies in the WASM only during a call, so that any number of streams
 * can run at once, and one that is given up costs nothing.
 */
class WasmHashStream implements HashStream {
  readonly #module: WasmModule;
  #context: Uint8Array | undefined;

  constructor(module: WasmModule) {
    this.#module = module;
    module.exports.streamBegin();
    this.#context = module.bytes.slice(
      module.areas.context,
      module.areas.context + module.contextBytes,
    );
  }

  update(chunk: Uint8Array): this {
    const { bytes, areas, exports, inputBytesMax } = this.#module;
    const context = this.#enter();
    for (let offset = 0; offset < chunk.length; offset += inputBytesMax) {
      const part = chunk.subarray(offset, offset + inputBytesMax);
      bytes.set(part, areas.input);
      exports.streamUpdate(part.length);
    }
    context.set(bytes.subarray(areas.context, areas.context + context.length));
    return this;
  }

  digest(): Uint8Array {
    const { bytes, areas, exports } = this.#module;
    this.#enter();
    exports.streamDigest();
    this.#context = undefined;
    return bytes.slice(areas.result, areas.result + DIGEST_BYTES);
  }

  #enter(): Uint8Array {
    invariant(this.#context, 'a hash stream is used until its digest is taken');
    this.#module.bytes.set(this.#context, this.#module.areas.context);
    return this.#context;
  }
}
