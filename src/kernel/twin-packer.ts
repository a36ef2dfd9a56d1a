import type { PackedEntries, Packer } from '../ports/packer.ts';
import { checkEntryCount, checkLengths } from './packed.ts';
import { TwinHasher } from './twin-hasher.ts';

const LEAF_PREFIX = 0;
const NODE_PREFIX = 1;

/** Block packing in plain TypeScript: what the WASM must equal. */
export class TwinPacker implements Packer {
  readonly #hasher = new TwinHasher();

  pack(bytes: Uint8Array, lengths: Uint32Array): PackedEntries {
    const merkleRoot = this.merkleRoot(bytes, lengths);
    const head = 4 + 4 * lengths.length;
    const payload = new Uint8Array(head + bytes.length);
    const view = new DataView(payload.buffer);
    view.setUint32(0, lengths.length);
    lengths.forEach((length, index) => {
      view.setUint32(4 + 4 * index, length);
    });
    payload.set(bytes, head);
    return { payload, merkleRoot };
  }

  merkleRoot(bytes: Uint8Array, lengths: Uint32Array): Uint8Array {
    checkLengths(bytes, lengths);
    checkEntryCount(lengths.length);
    let nodes: Uint8Array[] = [];
    let offset = 0;
    for (const length of lengths) {
      nodes.push(this.#hashWith(LEAF_PREFIX, bytes.subarray(offset, offset + length)));
      offset += length;
    }
    while (nodes.length > 1) nodes = this.#parentsOf(nodes);
    return nodes[0] ?? this.#hasher.hash(new Uint8Array(0));
  }

  #parentsOf(nodes: readonly Uint8Array[]): Uint8Array[] {
    const parents: Uint8Array[] = [];
    for (let index = 0; index + 1 < nodes.length; index += 2) {
      parents.push(this.#hashWith(NODE_PREFIX, nodes[index]!, nodes[index + 1]!));
    }
    if (nodes.length % 2 === 1) parents.push(nodes.at(-1)!);
    return parents;
  }

  #hashWith(prefix: number, ...parts: readonly Uint8Array[]): Uint8Array {
    const message = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 1));
    message[0] = prefix;
    let offset = 1;
    for (const part of parts) {
      message.set(part, offset);
      offset += part.length;
    }
    return this.#hasher.hash(message);
  }
}
