import { describe, expect, test } from 'vitest';
import { loadWasmModule, type WasmModule } from '../../src/kernel/wasm-module.ts';
import { InvariantError } from '../../src/model/invariant.ts';

const INPUT_BYTES = 2 ** 21;
const ITEMS = 2 ** 16;
const NODES = 2 ** 19;
const ENTRIES = 2 ** 24;

/** Calls past the checks of the TypeScript side, each with the text of the assertion. */
const OUT_OF_BOUNDS: readonly (readonly [string, (module: WasmModule) => unknown, string])[] = [
  ['a message beyond INPUT', ({ exports }) => exports.hashMessage(INPUT_BYTES + 1), 'longer than'],
  ['a message of length -1', ({ exports }) => exports.hashMessage(-1), 'longer than'],
  ['a chunk beyond INPUT', ({ exports }) => exports.streamUpdate(INPUT_BYTES + 1), 'longer than'],
  ['too many messages', ({ exports }) => exports.hashBatch(ITEMS + 1, 0), 'more messages'],
  ['-1 messages', ({ exports }) => exports.hashBatch(-1, 0), 'more messages'],
  ['a batch beyond INPUT', ({ exports }) => exports.hashBatch(1, INPUT_BYTES + 1), 'longer than'],
  ['lengths above the sum', (module) => hashOf(module, [5, 6], 10), 'do not add up'],
  ['lengths that overflow', (module) => hashOf(module, [2 ** 32 - 1, 11], 10), 'do not add up'],
  ['too many Entries', ({ exports }) => exports.pack(0, 0, ENTRIES + 1, 0), 'more Entries'],
  ['more Entries than announced', (module) => packOf(module, [1, 1], 1), 'than announced'],
  ['an Entry chunk out of order', ({ exports }) => exports.pack(7, 0, 9, 0), 'out of order'],
  [
    'leaves beyond INPUT',
    ({ exports }) => exports.packLeaves(0, ITEMS + 1, ENTRIES),
    'longer than',
  ],
  ['a node beyond its window', ({ exports }) => exports.isAncestor(3, 3, 0), 'outside the window'],
  ['node -1', ({ exports }) => exports.areRivals(3, -1, 0), 'outside the window'],
  ['a window beyond INPUT', ({ exports }) => exports.firstRival(NODES + 1, 0), 'window longer'],
  ['a predecessor above its node', (module) => rivalsIn(module, [-1, 2, 0]), 'not below its node'],
  ['a predecessor of -2', (module) => rivalsIn(module, [-1, -2, 0]), 'not below its node'],
  ['too many ids', ({ exports }) => exports.firstDuplicate(ITEMS + 1), 'ids longer'],
  ['too many Issuing Hashes', ({ exports }) => exports.chooseParents(ITEMS + 1, 1), 'ids longer'],
  ['-1 parents', ({ exports }) => exports.chooseParents(1, -1), 'negative number'],
  ['too many Blocks', ({ exports }) => exports.firstGap(ITEMS + 1, 1), 'more Blocks'],
  ['too many issuers', ({ exports }) => exports.firstGap(1, ITEMS + 1), 'more issuers'],
  ['an issuer nobody knows', (module) => gapOf(module, [0, 2], 2), 'issuer out of bounds'],
  ['a checksum beyond INPUT', ({ exports }) => exports.crc32(0, INPUT_BYTES + 1), 'longer than'],
];

function enterLengths(module: WasmModule, lengths: readonly number[]): void {
  module.words.set(lengths, module.areas.lengths / 4);
}

function hashOf(module: WasmModule, lengths: readonly number[], byteLength: number): void {
  enterLengths(module, lengths);
  module.exports.hashBatch(lengths.length, byteLength);
}

function packOf(module: WasmModule, lengths: readonly number[], total: number): void {
  enterLengths(module, lengths);
  const byteLength = lengths.reduce((sum, length) => sum + length, 0);
  module.exports.pack(0, lengths.length, total, byteLength);
}

function rivalsIn(module: WasmModule, predecessors: readonly number[]): number {
  module.words.set(predecessors, module.areas.input / 4);
  return module.exports.firstRival(predecessors.length, 0);
}

function gapOf(module: WasmModule, issuers: readonly number[], known: number): number {
  enterLengths(module, issuers);
  module.doubles.fill(1, module.areas.input / 8, module.areas.input / 8 + issuers.length);
  module.doubles.fill(0, module.areas.output / 8, module.areas.output / 8 + known);
  return module.exports.firstGap(issuers.length, known);
}

describe.each(['simd', 'scalar'] as const)('the %s build', (build) => {
  test.each(OUT_OF_BOUNDS)('stops at %s', (_what, call, text) => {
    const module = loadWasmModule(build);
    expect(() => call(module)).toThrow(InvariantError);
    expect(() => call(module)).toThrow(text);
    expect(() => call(module)).toThrow(/assembly\/[a-z0-9-]+\.ts:\d+/);
  });

  test('changes nothing outside its scratch where it stops', () => {
    const module = loadWasmModule(build);
    const { areas } = module;
    module.bytes.fill(0xa5, areas.input, areas.input + INPUT_BYTES);
    for (const [what, call] of OUT_OF_BOUNDS) {
      const constants = module.bytes.slice(0, 0x2580);
      const tables = module.bytes.slice(0x3400, 0x15440);
      const input = module.bytes.slice(areas.input + 64, areas.input + INPUT_BYTES);
      expect(() => call(module), what).toThrow(InvariantError);
      expect(Buffer.compare(module.bytes.subarray(0, 0x2580), constants), what).toBe(0);
      expect(Buffer.compare(module.bytes.subarray(0x3400, 0x15440), tables), what).toBe(0);
      const after = module.bytes.subarray(areas.input + 64, areas.input + INPUT_BYTES);
      expect(Buffer.compare(after, input), what).toBe(0);
    }
  });

  test('works on after it stopped', () => {
    const module = loadWasmModule(build);
    for (const [, call] of OUT_OF_BOUNDS) expect(() => call(module)).toThrow(InvariantError);
    module.exports.hashMessage(0);
    const digest = module.bytes.subarray(module.areas.result, module.areas.result + 4);
    expect(Buffer.from(digest).toString('hex')).toBe('e3b0c442');
  });

  test('never grows its memory and keeps to it at the limits', () => {
    const module = loadWasmModule(build);
    const size = module.bytes.length;
    module.exports.hashMessage(INPUT_BYTES);
    module.words.fill(
      INPUT_BYTES / ITEMS,
      module.areas.lengths / 4,
      module.areas.lengths / 4 + ITEMS,
    );
    module.exports.hashBatch(ITEMS, INPUT_BYTES);
    module.exports.pack(0, ITEMS, ITEMS, INPUT_BYTES);
    module.exports.firstDuplicate(ITEMS);
    module.exports.crc32(0, INPUT_BYTES);
    expect(module.bytes.length).toBe(size);
    expect(size).toBeLessThan(5 * 2 ** 20);
  });
});
