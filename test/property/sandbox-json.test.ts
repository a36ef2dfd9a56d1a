import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { compileBehavior } from '../../src/behavior/compile-behavior.ts';
import { jsonDepth } from '../../src/behavior/json-depth.ts';
import { WorkerSandbox } from '../../src/behavior/worker-sandbox.ts';
import type { JsonRecord } from '../../src/ports/sandbox.ts';
import { CALL, NotingHost } from '../contract/sandbox.ts';
import { behaviorOf } from '../unit/behavior-samples.ts';

// An upper bound for a busy machine: workers start, compilers are loaded.
vi.setConfig({ testTimeout: 120_000 });

const folder = mkdtempSync(join(tmpdir(), 'vertebra-json-'));
const sandbox = new WorkerSandbox();
afterAll(async () => {
  await sandbox.close();
  rmSync(folder, { recursive: true });
});

const ASSEMBLY = `import { entry, produce, setState, state } from 'vertebra/behavior';
export function run(): void { produce('order', entry()); setState(state()); }`;
const JAVASCRIPT = `export default { run(ctx) {
  ctx.produce('order', ctx.entry);
  ctx.state.set(ctx.state.get());
} };`;

const figure = fc.oneof(
  fc.integer(),
  fc.maxSafeInteger(),
  fc.integer({ min: -1_000_000, max: 1_000_000 }).map((value) => value / 1000),
);
const text = fc.string({ unit: 'binary', maxLength: 20 });
const { value: values } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    ...[fc.constant(null), fc.boolean(), figure, text],
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(text, tie('value'), { maxKeys: 4, noNullPrototype: true }),
  ),
}));
const records = fc.dictionary(text, values, { maxKeys: 5, noNullPrototype: true });

const encoded = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
const decoded = (bytes: Uint8Array | null) => JSON.parse(Buffer.from(bytes ?? []).toString());

describe('what goes in comes out', () => {
  test.each([
    ['AssemblyScript', 'echo.as.ts', ASSEMBLY],
    ['JavaScript', 'echo.js', JAVASCRIPT],
  ])('of %s', async (_name, file, source) => {
    writeFileSync(join(folder, file), source);
    const { kind, code } = await compileBehavior(join(folder, file));
    const loaded = await sandbox.load(behaviorOf(code, { kind }));
    if (!loaded.ok) throw new Error(loaded.detail);
    const echo = async (record: Record<string, unknown>, value: unknown) => {
      const entry = record as JsonRecord;
      const call = { ...CALL, entry, state: encoded(value) };
      const outcome = await sandbox.run(loaded.value, call, new NotingHost());
      if (outcome.kind !== 'done') throw new Error(JSON.stringify(outcome));
      expect(outcome.produced[0]?.entry).toEqual(record);
      expect(decoded(outcome.state)).toEqual(value);
    };
    await fc.assert(fc.asyncProperty(records, values, echo), { numRuns: 60 });
  });
});

test('the depth of JSON text is that of its value, whatever its texts hold', () => {
  const depthOf = (value: unknown): number =>
    typeof value === 'object' && value !== null
      ? 1 + Math.max(0, ...Object.values(value).map(depthOf))
      : 0;
  fc.assert(
    fc.property(values, (value) => {
      expect(jsonDepth(JSON.stringify(value))).toBe(depthOf(value));
    }),
  );
});
