import type { Conflicts } from '../ports/conflicts.ts';
import { checkNode, checkParentCount, checkSequences, checkWindow, countIds } from './packed.ts';

const ID_BYTES = 32;

/** The conflict checks in plain TypeScript: what the WASM must equal. */
export class TwinConflicts implements Conflicts {
  isAncestor(predecessors: Int32Array, ancestor: number, descendant: number): boolean {
    checkNode(predecessors, ancestor);
    checkNode(predecessors, descendant);
    checkWindow(predecessors);
    return isAbove(predecessors, ancestor, descendant);
  }

  areRivals(predecessors: Int32Array, a: number, b: number): boolean {
    checkNode(predecessors, a);
    checkNode(predecessors, b);
    checkWindow(predecessors);
    return rival(predecessors, a, b);
  }

  firstRival(predecessors: Int32Array, of: number): number {
    checkNode(predecessors, of);
    checkWindow(predecessors);
    for (let node = 0; node < predecessors.length; node++) {
      if (rival(predecessors, node, of)) return node;
    }
    return -1;
  }

  firstDuplicate(ids: Uint8Array): number {
    const seen = new Set<string>();
    for (let index = 0; index < countIds(ids); index++) {
      const id = idAt(ids, index).join();
      if (seen.has(id)) return index;
      seen.add(id);
    }
    return -1;
  }

  firstGap(issuers: Uint32Array, sequences: Float64Array, highest: Float64Array): number {
    checkSequences(issuers, sequences, highest);
    const reached = highest.slice();
    for (let index = 0; index < issuers.length; index++) {
      const issuer = issuers[index]!;
      if (sequences[index] !== reached[issuer]! + 1) return index;
      reached[issuer] = sequences[index]!;
    }
    return -1;
  }

  chooseParents(issuingHashes: Uint8Array, max: number): Uint32Array {
    checkParentCount(max);
    const indices = Array.from({ length: countIds(issuingHashes) }, (_, index) => index);
    indices.sort((a, b) => compare(idAt(issuingHashes, b), idAt(issuingHashes, a)) || a - b);
    return Uint32Array.from(indices.slice(0, max));
  }
}

function isAbove(predecessors: Int32Array, ancestor: number, descendant: number): boolean {
  let node = predecessors[descendant]!;
  while (node !== -1 && node !== ancestor) node = predecessors[node]!;
  return node === ancestor;
}

function rival(predecessors: Int32Array, a: number, b: number): boolean {
  return a !== b && !isAbove(predecessors, a, b) && !isAbove(predecessors, b, a);
}

function idAt(ids: Uint8Array, index: number): Uint8Array {
  return ids.subarray(ID_BYTES * index, ID_BYTES * (index + 1));
}

/** Big-endian numbers: below 0 if `a` is the lower one. */
function compare(a: Uint8Array, b: Uint8Array): number {
  for (let index = 0; index < ID_BYTES; index++) {
    const difference = a[index]! - b[index]!;
    if (difference !== 0) return difference;
  }
  return 0;
}
