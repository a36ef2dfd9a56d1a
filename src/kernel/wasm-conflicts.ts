import type { Conflicts } from '../ports/conflicts.ts';
import { checkNode, checkParentCount, checkSequences, checkWindow, countIds } from './packed.ts';
import type { WasmModule } from './wasm-module.ts';

const INT32_MAX = 2 ** 31 - 1;

/** The conflict checks in the WASM. */
export class WasmConflicts implements Conflicts {
  readonly #module: WasmModule;

  constructor(module: WasmModule) {
    this.#module = module;
  }

  isAncestor(predecessors: Int32Array, ancestor: number, descendant: number): boolean {
    checkNode(predecessors, ancestor);
    checkNode(predecessors, descendant);
    this.#enterWindow(predecessors);
    const { exports } = this.#module;
    return exports.isAncestor(predecessors.length, ancestor, descendant) !== 0;
  }

  areRivals(predecessors: Int32Array, a: number, b: number): boolean {
    checkNode(predecessors, a);
    checkNode(predecessors, b);
    this.#enterWindow(predecessors);
    return this.#module.exports.areRivals(predecessors.length, a, b) !== 0;
  }

  firstRival(predecessors: Int32Array, of: number): number {
    checkNode(predecessors, of);
    this.#enterWindow(predecessors);
    return this.#module.exports.firstRival(predecessors.length, of);
  }

  firstDuplicate(ids: Uint8Array): number {
    const count = countIds(ids);
    this.#module.bytes.set(ids, this.#module.areas.input);
    return this.#module.exports.firstDuplicate(count);
  }

  firstGap(issuers: Uint32Array, sequences: Float64Array, highest: Float64Array): number {
    checkSequences(issuers, sequences, highest);
    const { words, doubles, areas, exports } = this.#module;
    words.set(issuers, areas.lengths / 4);
    doubles.set(sequences, areas.input / 8);
    doubles.set(highest, areas.output / 8);
    return exports.firstGap(issuers.length, highest.length);
  }

  chooseParents(issuingHashes: Uint8Array, max: number): Uint32Array {
    const count = countIds(issuingHashes);
    checkParentCount(max);
    const { bytes, words, areas, exports } = this.#module;
    bytes.set(issuingHashes, areas.input);
    const chosen = exports.chooseParents(count, Math.min(max, INT32_MAX));
    return words.slice(areas.output / 4, areas.output / 4 + chosen);
  }

  #enterWindow(predecessors: Int32Array): void {
    checkWindow(predecessors);
    this.#module.words.set(predecessors, this.#module.areas.input / 4);
  }
}
