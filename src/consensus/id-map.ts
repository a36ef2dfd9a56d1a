import type { Hex32 } from '../model/bytes.ts';

const FANOUT = 16;
const LEAF_MAX = 8;
const DIGITS = 64;

interface Leaf<Value> {
  readonly entries: readonly (readonly [Hex32, Value])[];
}

interface Branch<Value> {
  readonly slots: readonly Tree<Value>[];
}

type Tree<Value> = Leaf<Value> | Branch<Value>;

const EMPTY_LEAF = { entries: [] };

/** The hex digit of `id` at `depth`, 0 to 15. */
function digitAt(id: Hex32, depth: number): number {
  const code = id.charCodeAt(depth);
  return code <= 57 ? code - 48 : code - 87;
}

function find<Value>(tree: Tree<Value>, id: Hex32): Value | undefined {
  let at = tree;
  for (let depth = 0; 'slots' in at; depth++) at = at.slots[digitAt(id, depth)]!;
  for (const [key, value] of at.entries) if (key === id) return value;
  return undefined;
}

function split<Value>(leaf: Leaf<Value>, depth: number): Branch<Value> {
  const slots: Tree<Value>[] = new Array(FANOUT).fill(EMPTY_LEAF);
  for (const entry of leaf.entries) {
    const digit = digitAt(entry[0], depth);
    const slot = slots[digit] as Leaf<Value>;
    slots[digit] = { entries: [...slot.entries, entry] };
  }
  return { slots };
}

function put<Value>(tree: Tree<Value>, entry: readonly [Hex32, Value], depth: number): Tree<Value> {
  if ('slots' in tree) {
    const digit = digitAt(entry[0], depth);
    const slots = tree.slots.slice();
    slots[digit] = put(slots[digit]!, entry, depth + 1);
    return { slots };
  }
  const at = tree.entries.findIndex(([key]) => key === entry[0]);
  if (at >= 0) return { entries: tree.entries.with(at, entry) };
  if (tree.entries.length < LEAF_MAX || depth >= DIGITS) {
    return { entries: [...tree.entries, entry] };
  }
  return put(split(tree, depth), entry, depth);
}

/** Branches stay where leaves emptied: a map that was large is about to be so again. */
function remove<Value>(tree: Tree<Value>, id: Hex32, depth: number): Tree<Value> {
  if ('slots' in tree) {
    const digit = digitAt(id, depth);
    const slots = tree.slots.slice();
    slots[digit] = remove(slots[digit]!, id, depth + 1);
    return { slots };
  }
  return { entries: tree.entries.filter(([key]) => key !== id) };
}

function* walk<Value>(tree: Tree<Value>): Generator<readonly [Hex32, Value]> {
  if ('slots' in tree) for (const slot of tree.slots) yield* walk(slot);
  else yield* tree.entries;
}

/**
 * A map from ids whose versions share what did not change: setting copies a path, not the map. Ids
 * are hashes or keys, so the tree that their digits span stays flat.
 */
export class IdMap<Value> {
  readonly size: number;
  private readonly tree: Tree<Value>;

  private constructor(tree: Tree<Value>, size: number) {
    this.tree = tree;
    this.size = size;
  }

  static empty<Value>(): IdMap<Value> {
    return new IdMap<Value>(EMPTY_LEAF, 0);
  }

  get(id: Hex32): Value | undefined {
    return find(this.tree, id);
  }

  has(id: Hex32): boolean {
    return find(this.tree, id) !== undefined;
  }

  /** @returns a map with the entry; this one stays as it is. */
  set(id: Hex32, value: Value): IdMap<Value> {
    const size = this.has(id) ? this.size : this.size + 1;
    return new IdMap(put(this.tree, [id, value], 0), size);
  }

  /** @returns a map without the entry, or this one where there is none. */
  delete(id: Hex32): IdMap<Value> {
    if (!this.has(id)) return this;
    if (this.size === 1) return IdMap.empty();
    return new IdMap(remove(this.tree, id, 0), this.size - 1);
  }

  /** In the order of ids, nearly: the same for equal histories. */
  [Symbol.iterator](): Generator<readonly [Hex32, Value]> {
    return walk(this.tree);
  }
}
