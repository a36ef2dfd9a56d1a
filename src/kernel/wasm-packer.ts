import type { Hasher } from '../ports/hasher.ts';
import type { PackedEntries, Packer } from '../ports/packer.ts';
import { type ChunkLimits, nextChunk } from './chunk.ts';
import { checkEntryCount, checkLengths } from './packed.ts';
import type { WasmModule } from './wasm-module.ts';

const DIGEST_BYTES = 32;
const LEAF_PREFIX = Uint8Array.of(0);

/** What a run over all Entries reads, and the payload whose lengths it writes, if one is made. */
interface Task {
  readonly bytes: Uint8Array;
  readonly lengths: Uint32Array;
  readonly payload?: Uint8Array;
}

/** Packs Blocks in the WASM: one call for a drain of up to 2 MiB and 65,536 Entries. */
export class WasmPacker implements Packer {
  readonly #module: WasmModule;
  readonly #hasher: Hasher;
  readonly #longestEntry: () => number;

  /**
   * @param hasher Hashes the Entries that do not go through the WASM, one by one.
   * @param longestEntry Bytes; longer Entries go to `hasher`. Asked with every Block.
   */
  constructor(module: WasmModule, hasher: Hasher, longestEntry = () => module.inputBytesMax) {
    this.#module = module;
    this.#hasher = hasher;
    this.#longestEntry = longestEntry;
  }

  pack(bytes: Uint8Array, lengths: Uint32Array): PackedEntries {
    checkLengths(bytes, lengths);
    checkEntryCount(lengths.length);
    const head = 4 + 4 * lengths.length;
    const payload = new Uint8Array(head + bytes.length);
    writeUint32(payload, 0, lengths.length);
    payload.set(bytes, head);
    return { payload, merkleRoot: this.#takeAll({ bytes, lengths, payload }) };
  }

  merkleRoot(bytes: Uint8Array, lengths: Uint32Array): Uint8Array {
    checkLengths(bytes, lengths);
    checkEntryCount(lengths.length);
    return this.#takeAll({ bytes, lengths });
  }

  #takeAll(task: Task): Uint8Array {
    const { itemCountMax, inputBytesMax, areas } = this.#module;
    const itemBytesMax = Math.min(this.#longestEntry(), inputBytesMax);
    const limits: ChunkLimits = { itemCountMax, byteCountMax: inputBytesMax, itemBytesMax };
    let from = 0;
    let offset = 0;
    do {
      const { end, byteCount } = nextChunk(task.lengths, from, limits);
      if (end > from || task.lengths.length === 0) {
        this.#takeChunk(task, from, end, task.bytes.subarray(offset, offset + byteCount));
        from = end;
        offset += byteCount;
      } else {
        const length = task.lengths[from]!;
        this.#takeLong(task, from, task.bytes.subarray(offset, offset + length));
        from++;
        offset += length;
      }
    } while (from < task.lengths.length);
    return this.#module.bytes.slice(areas.result, areas.result + DIGEST_BYTES);
  }

  #takeChunk(task: Task, from: number, end: number, entries: Uint8Array): void {
    const { bytes, words, areas, exports } = this.#module;
    const count = end - from;
    bytes.set(entries, areas.input);
    words.set(task.lengths.subarray(from, end), areas.lengths / 4);
    exports.pack(from, count, task.lengths.length, entries.length);
    task.payload?.set(bytes.subarray(areas.lengths, areas.lengths + 4 * count), 4 + 4 * from);
  }

  #takeLong(task: Task, index: number, entry: Uint8Array): void {
    const { bytes, areas, exports } = this.#module;
    const leaf = this.#hasher.stream().update(LEAF_PREFIX).update(entry).digest();
    bytes.set(leaf, areas.input);
    exports.packLeaves(index, 1, task.lengths.length);
    if (task.payload) writeUint32(task.payload, 4 + 4 * index, entry.length);
  }
}

function writeUint32(target: Uint8Array, at: number, value: number): void {
  new DataView(target.buffer, target.byteOffset, target.byteLength).setUint32(at, value);
}
