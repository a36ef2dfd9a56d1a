import type { ConsensusState } from '../../src/consensus/metablockchain.ts';

/** Name of a map or list to how much is in it. */
export type Sizes = Record<string, number>;

function sizeOf(value: unknown): number | null {
  if (Array.isArray(value)) return value.length;
  if (typeof value !== 'object' || value === null) return null;
  if ('size' in value && typeof value.size === 'number') return value.size;
  if (ArrayBuffer.isView(value)) return 0;
  return null;
}

/** All that an object holds, by path; of maps with objects in them the fullest one. */
function measure(sizes: Sizes, path: string, value: unknown, depth: number): void {
  const size = sizeOf(value);
  if (size !== null) sizes[path] = Math.max(sizes[path] ?? 0, size);
  if (depth === 0 || typeof value !== 'object' || value === null) return;
  if (ArrayBuffer.isView(value)) return;
  if (value instanceof Map) {
    for (const each of value.values()) measure(sizes, `${path}[]`, each, depth - 1);
  } else if (Array.isArray(value) || value instanceof Set) {
    for (const each of value) measure(sizes, `${path}[]`, each, depth - 1);
  } else if (Symbol.iterator in value) {
    const entries = value as Iterable<readonly [unknown, unknown]>;
    for (const [, each] of entries) measure(sizes, `${path}[]`, each, depth - 1);
  } else {
    for (const [name, each] of Object.entries(value)) {
      measure(sizes, path === '' ? name : `${path}.${name}`, each, depth - 1);
    }
  }
}

/**
 * Counts every map and list of a state, those within them included. It looks at whatever is there,
 * so nothing that a later change adds escapes it.
 */
export function sizesOf(state: ConsensusState): Sizes {
  const sizes: Sizes = {};
  measure(sizes, '', state, 7);
  return sizes;
}

/** The larger of two counts, name by name. */
export function highest(a: Sizes, b: Sizes): Sizes {
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  return Object.fromEntries([...names].map((name) => [name, Math.max(a[name] ?? 0, b[name] ?? 0)]));
}
