import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { compileBehavior } from '../../src/behavior/compile-behavior.ts';
import { type CodeFacts, readDeclared } from '../../src/behavior/declared.ts';
import { WorkerSandbox } from '../../src/behavior/worker-sandbox.ts';
import { type BehaviorManifest, STANDARD_LIMITS } from '../../src/model/behavior.ts';
import type { JsonRecord } from '../../src/ports/sandbox.ts';
import { CALL, NotingHost } from '../contract/sandbox.ts';
import { behaviorOf, idOf } from './behavior-samples.ts';
import { buildModule } from './module-builder.ts';

// An upper bound for a busy machine: workers start, compilers are loaded.
vi.setConfig({ testTimeout: 120_000 });

const folder = mkdtempSync(join(tmpdir(), 'vertebra-compile-'));
const sandbox = new WorkerSandbox();
afterAll(async () => {
  await sandbox.close();
  rmSync(folder, { recursive: true });
});

function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

const GUARD = `import { defineBehavior } from 'vertebra/behavior';
import { limit } from './limit.ts';
interface Pacts { reading: { celsius: number }; order: { on: boolean } }
export default defineBehavior<Pacts, 'reading'>({
  consumes: ['reading'],
  produces: ['order'],
  devices: ['fan', { name: 'alarm', moves: false }],
  run(ctx): void {
    const hot: boolean = ctx.entry.celsius >= limit;
    ctx.produce('order', { on: hot });
  },
});`;

const FACTS: CodeFacts = {
  kind: 'javascript',
  codeHash: idOf(9),
  undoes: false,
  fileName: 'Fan-Guard',
};
const find = (name: string) => (name === 'reading' ? idOf(1) : name === 'order' ? idOf(3) : null);

describe('a file of TypeScript', () => {
  test('is made one module, types taken away, that declares itself and runs', async () => {
    file('limit.ts', 'export const limit: number = 20;');
    const made = await compileBehavior(file('guard.ts', GUARD));
    expect(made).toMatchObject({ kind: 'javascript', fileName: 'guard', declared: null });
    expect(Buffer.from(made.code).toString()).not.toContain(folder);
    const loaded = await sandbox.load(behaviorOf(made.code));
    if (!loaded.ok) throw new Error(loaded.detail);
    expect(loaded.value.declared).toEqual({
      consumes: ['reading'],
      produces: ['order'],
      devices: ['fan', { name: 'alarm', moves: false }],
    });
    const outcome = await sandbox.run(loaded.value, CALL, new NotingHost());
    expect(outcome).toMatchObject({ produced: [{ entry: { on: true } }] });
  });

  test('is the same code each time', async () => {
    const path = file('same.ts', 'export default { run() {} };');
    expect((await compileBehavior(path)).code).toEqual((await compileBehavior(path)).code);
  });

  test.each([
    ['import fs from "node:fs"; export default { run() { fs.readFileSync("x"); } }', 'node:fs'],
    ['import { x } from "./none.ts"; export default { run() { x(); } }', './none.ts'],
    ['export default {', 'bad.ts'],
  ])('that does not compile is refused with where: %s', async (text, why) => {
    await expect(compileBehavior(file('bad.ts', text))).rejects.toMatchObject({
      code: 'BEHAVIOR_NOT_COMPILED',
      message: expect.stringContaining(why),
    });
  });
});

describe('other files', () => {
  test('AssemblyScript that does not compile is refused with where', async () => {
    const path = file('bad.as.ts', 'export function run(): void { none(); }');
    await expect(compileBehavior(path)).rejects.toMatchObject({
      code: 'BEHAVIOR_NOT_COMPILED',
      message: expect.stringContaining('none'),
    });
  });

  test('a compiled module is taken as it is, with what the file beside it declares', async () => {
    const binary = buildModule({ functions: [{ exported: 'run', code: [] }] });
    file('ready.json', '{"consumes":["reading"],"idempotent":true}');
    expect(await compileBehavior(file('ready.wasm', binary))).toEqual({
      kind: 'webassembly',
      code: new Uint8Array(binary),
      fileName: 'ready',
      declared: { consumes: ['reading'], idempotent: true },
    });
  });

  test.each([
    ['none.ts', null],
    ['letter.txt', 'x'],
  ])('%s is refused', async (name, content) => {
    const path = content === null ? join(folder, name) : file(name, content);
    await expect(compileBehavior(path)).rejects.toMatchObject({ code: 'BEHAVIOR_UNREADABLE' });
  });

  test('a declaration that is no JSON is refused', async () => {
    file('odd.json', '[1');
    const path = file('odd.js', 'export default { run() {} }');
    await expect(compileBehavior(path)).rejects.toMatchObject({ code: 'BEHAVIOR_UNREADABLE' });
  });
});

describe('what an author declares', () => {
  test('becomes a manifest, sorted, with what is left out', () => {
    const declared = {
      consumes: ['reading'],
      produces: ['reading', 'order'],
      devices: ['probe', { name: 'fan', moves: false }],
      requires: ['site=3', 'gpio'],
      limits: { fuel: 2_000_000 },
    };
    const manifest: BehaviorManifest = {
      name: 'fan_guard',
      kind: 'javascript',
      codeHash: idOf(9),
      consumes: [{ name: 'reading', pact: idOf(1) }],
      accesses: [],
      produces: [
        { name: 'order', pact: idOf(3) },
        { name: 'reading', pact: idOf(1) },
      ],
      devices: [
        { name: 'fan', moves: false },
        { name: 'probe', moves: true },
      ],
      requires: ['gpio', 'site=3'],
      limits: { ...STANDARD_LIMITS, fuel: 2_000_000 },
      idempotent: false,
      undoes: false,
    };
    expect(readDeclared(declared, FACTS, find)).toEqual({ ok: true, value: manifest });
  });

  test.each<[JsonRecord, string]>([
    [{ consume: [] }, 'consume is not known'],
    [{ consumes: 'reading' }, 'consumes is no list'],
    [{ consumes: [1] }, 'consumes has what is no text'],
    [{ produces: ['order', 'order'] }, 'produces is no sorted set'],
    [{ devices: [{ moves: true }] }, 'a device has a name'],
    [{ idempotent: 'yes' }, 'idempotent is not true or false'],
    [{ limits: { time: 1 } }, 'limits.time is not known'],
    [{ limits: { fuel: '9' } }, 'limits.fuel is no number'],
    [{ limits: { fuel: 1 } }, 'fuel is not from'],
    [{ name: 7 }, 'name is no text'],
    [{ name: 'Guard' }, 'name is not'],
  ])('%j is refused with the reason', (declared, why) => {
    const verdict = readDeclared(declared, FACTS, find);
    expect(verdict).toMatchObject({ ok: false, reason: 'declaration-malformed' });
    expect(!verdict.ok && verdict.detail).toContain(why);
  });

  test('a Pact that nobody knows is named', () => {
    const verdict = readDeclared({ accesses: ['stock'] }, FACTS, find);
    expect(verdict).toMatchObject({ reason: 'pact-unknown', detail: 'no Pact stock is known' });
  });
});
