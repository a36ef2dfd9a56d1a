import type { Checksum } from '../ports/checksum.ts';
import type { WasmModule } from './wasm-module.ts';

/** CRC-32 in the WASM, eight bytes at a time. */
export class WasmChecksum implements Checksum {
  readonly #module: WasmModule;

  constructor(module: WasmModule) {
    this.#module = module;
  }

  crc32(bytes: Uint8Array, seed = 0): number {
    const { inputBytesMax, areas, exports } = this.#module;
    let crc = seed;
    for (let offset = 0; offset < bytes.length; offset += inputBytesMax) {
      const part = bytes.subarray(offset, offset + inputBytesMax);
      this.#module.bytes.set(part, areas.input);
      crc = exports.crc32(crc, part.length);
    }
    return crc >>> 0;
  }
}
