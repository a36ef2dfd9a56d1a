import { afterAll, describe, expect, test, vi } from 'vitest';
import { Bridge } from '../../src/behavior/bridge.ts';
import { WorkerSandbox } from '../../src/behavior/worker-sandbox.ts';
import { type BehaviorOutcome, HOST_CALLS_MAX } from '../../src/ports/sandbox.ts';
import { CALL, NotingHost } from '../contract/sandbox.ts';
import { behaviorOf } from './behavior-samples.ts';
import { buildModule, I32, list, name, signed } from './module-builder.ts';

// An upper bound for a busy machine: workers start, compilers are loaded.
vi.setConfig({ testTimeout: 120_000 });

const limits = {
  memoryBytes: 16 * 1024 * 1024,
  fuel: 60_000_000,
  outputBytes: 65_536,
  stateBytes: 1000,
};
const sandbox = new WorkerSandbox();
afterAll(() => sandbox.close());

async function outcomeOf(code: string | Uint8Array): Promise<BehaviorOutcome> {
  const kind = typeof code === 'string' ? 'javascript' : 'webassembly';
  const text = typeof code === 'string' ? `export default { run(ctx) { ${code} } };` : code;
  const loaded = await sandbox.load(behaviorOf(text, { limits, kind }));
  if (!loaded.ok) throw new Error(`${loaded.reason}: ${loaded.detail}`);
  return sandbox.run(loaded.value, CALL, new NotingHost());
}

async function refusalOf(code: string | Uint8Array, kind: 'javascript' | 'webassembly') {
  const loaded = await sandbox.load(behaviorOf(code, { limits, kind }));
  return loaded.ok ? 'loaded' : `${loaded.reason}: ${loaded.detail}`;
}

describe('JavaScript that', () => {
  test.each<[string, string, string]>([
    ['backtracks without an end', `/^(a+)+$/.test('a'.repeat(40) + 'b')`, 'fuel'],
    ['multiplies endless numbers', '2n ** 400000n * 3n ** 400000n', 'fuel'],
    ['searches what is never there', `'a'.repeat(1e6).indexOf('a'.repeat(5e5) + 'b')`, 'fuel'],
    [
      'loops in a getter of what it throws',
      'throw { get message() { for (;;); } , __proto__: Error.prototype }',
      'fuel',
    ],
    [
      'loops where its error is described',
      `String.prototype.split = () => { for (;;); }; throw new Error('x')`,
      'fuel',
    ],
    [
      'queues jobs without an end',
      'const more = () => queueMicrotask(() => more()); more()',
      'fuel',
    ],
    [
      'fills lists without an end',
      'const all = []; for (;;) all.push(new Uint8Array(1e6))',
      'memory',
    ],
    ['asks for a huge buffer', 'new ArrayBuffer(1e9)', 'memory'],
    ['repeats a text', `'x'.repeat(2 ** 29)`, 'memory'],
    ['parses deep JSON', `JSON.parse('['.repeat(1e6))`, 'stack'],
    ['parses deep code', `eval('('.repeat(1e5))`, 'stack'],
    ['calls itself in a getter', 'const it = { get x() { return this.x; } }; it.x', 'stack'],
    [
      'calls itself in a sort',
      '[3, 2, 1].sort(function again() { return [3, 2, 1].sort(again); })',
      'stack',
    ],
    ['throws what cannot be shown', 'throw { toString() { throw this; } }', 'exception'],
    ['never settles its promise', 'return new Promise(() => {})', 'exception'],
    [
      'throws in a job of its own',
      `queueMicrotask(() => { throw new Error('late'); })`,
      'exception',
    ],
    [
      'says what is no JSON',
      `const round = {}; round.round = round; ctx.produce('order', round)`,
      'exception',
    ],
    [
      'says what is too deep',
      `let deep = {}; for (let n = 0; n < 100; n++) deep = { deep }; ctx.produce('order', deep)`,
      'output',
    ],
    ['leaves a huge state', `ctx.state.set('x'.repeat(2000))`, 'output'],
    ['asks for all rows', `ctx.query('stock', { limit: 1e9 })`, 'exception'],
    ['asks without an end', `for (;;) ctx.query('stock')`, 'fuel'],
    ['looks for a weak reference', 'new WeakRef({})', 'exception'],
    ['looks for shared memory', 'new SharedArrayBuffer(8)', 'exception'],
    ['waits for others', 'Atomics.wait', 'exception'],
    ['looks for the process', 'process.exit()', 'exception'],
    ['requires a module', `require('fs')`, 'exception'],
    ['compiles WebAssembly', 'WebAssembly.compile', 'exception'],
  ])('%s ends alone', async (_name, code, cause) => {
    expect(await outcomeOf(code)).toMatchObject({ kind: 'broken', cause });
    expect((await outcomeOf(`ctx.log('well')`)).log).toEqual(['well']);
    expect(sandbox.status().replaced).toBe(0);
  });

  test('changes all intrinsics changes nothing but itself', async () => {
    const outcome = await outcomeOf(`
      Object.prototype.ok = true;
      JSON.parse = () => ({ ok: true });
      JSON.stringify = () => '{}';
      Array.prototype.push = Array.prototype.join = Error.prototype.toString = () => { throw 1; };
      globalThis.TypeError = globalThis.Error = undefined;
      ctx.produce('secret', {});`);
    expect(outcome).toMatchObject({ kind: 'broken', cause: 'exception' });
    const clean = await outcomeOf('ctx.log({}.ok, JSON.stringify([1]), typeof Error)');
    expect(clean.log).toEqual(['undefined [1] function']);
  });

  test('names a prototype in an Entry hands over a field of that name', async () => {
    const outcome = await outcomeOf(
      `ctx.produce('order', JSON.parse('{"__proto__":{"isAdmin":true},"constructor":1}'));`,
    );
    if (outcome.kind !== 'done') throw new Error('it is well formed');
    const [{ entry } = { entry: {} }] = outcome.produced;
    expect(Object.keys(entry)).toEqual(['__proto__', 'constructor']);
    expect(Object.getPrototypeOf(entry)).toBe(Object.prototype);
    expect(({} as { isAdmin?: boolean }).isAdmin).toBeUndefined();
  });

  test('fails while the host reads what it says just fails', async () => {
    const code = `ctx.produce('order', { get celsius() { ctx.fail('within'); } })`;
    expect(await outcomeOf(code)).toMatchObject({ kind: 'failed', reason: 'within' });
  });

  test('imports at run time finds nothing', async () => {
    const code = `return import('node:fs').then(() => ctx.log('found'), () => ctx.log('nothing'))`;
    expect((await outcomeOf(code)).log).toEqual(['nothing']);
  });

  test('has nothing in reach but the language', async () => {
    const code = 'ctx.log(Reflect.ownKeys(globalThis).length, typeof Date, typeof console)';
    const code2 = `ctx.log(...['performance', 'fetch', 'setTimeout', 'process', 'Deno', 'os', 'std',
      'gc', 'navigator', 'host', 'require', 'load', 'print'].filter((name) => name in globalThis))`;
    expect((await outcomeOf(code)).log).toHaveLength(1);
    expect((await outcomeOf(code2)).log).toEqual(['']);
  });

  test.each<[string, string]>([
    ['for (;;);', 'too-costly'],
    [`import fs from 'fs'; export default { run() {} }`, 'not-code'],
    ['export default 1', 'no-run'],
    ['this is no code', 'not-code'],
    ['await new Promise(() => {}); export default { run() {} }', 'not-code'],
    [`console.log('x'); export default { run() {} }`, 'not-permitted'],
    ['export default { get run() { throw 1; } }', 'not-code'],
    ['export default { run() {}, toJSON() { for (;;); } }', 'too-costly'],
    ['let all = []; for (;;) all.push("x".repeat(10000) + all.length)', 'too-costly'],
  ])('is %s is not loaded', async (code, reason) => {
    expect(await refusalOf(code, 'javascript')).toContain(reason);
  });
});

describe('what one run asks for', () => {
  test('is so many questions, and not one more, whatever its fuel', () => {
    const bridge = new Bridge(
      behaviorOf('x'),
      () => ({ ok: true, value: 'null' }),
      () => undefined,
    );
    const ask = () => bridge.device('{"name":"fan","verb":"set","args":[]}');
    for (let count = 0; count < HOST_CALLS_MAX; count++) expect(ask().ok).toBe(true);
    expect(ask).toThrow(String(HOST_CALLS_MAX));
  });

  test.each([
    ['{"name":"fan","verb":"set"}', 'args'],
    ['{"name":"fan","verb":"__proto__","args":[]}', 'verb'],
    ['{"name":"door","verb":"set","args":[]}', 'not declared'],
    ['[]', 'not declared'],
  ])('is refused where it is malformed: %s', (request, why) => {
    const bridge = new Bridge(
      behaviorOf('x'),
      () => ({ ok: true, value: '1' }),
      () => undefined,
    );
    const answer = bridge.device(request);
    expect(answer.ok ? '' : answer.message).toContain(why);
  });
});

/** Imports one function of the host, `i32 i32 -> i32` or `i32 i32 -> nothing`, and calls it. */
function calling(importName: string, results: readonly number[], code: readonly number[]) {
  const { length } = results;
  const types = [
    [0x60, 2, I32, I32, length, ...results],
    [0x60, 0, 0],
  ];
  return buildModule({
    sections: {
      1: list(types),
      2: list([[...name('vertebra'), ...name(importName), 0, 0]]),
      3: [1, 1],
      7: list([
        [...name('run'), 0, 1],
        [...name('memory'), 2, 0],
      ]),
      10: list([[code.length + 2, 0, ...code, 0x0b]]),
    },
  });
}
const integer = (value: number) => [0x41, ...signed(value)];

describe('WebAssembly that', () => {
  test.each([
    ['beyond its end', integer(65_530), integer(100)],
    ['around the end of 32 bits', integer(-16), integer(100)],
    ['of a huge length', integer(0), integer(-1)],
  ])('hands over a place %s ends alone', async (_name, at, length) => {
    const module = calling('produce', [I32], [...at, ...length, 0x10, 0, 0x1a]);
    const outcome = await outcomeOf(module);
    expect(outcome.kind).toBe('broken');
    expect((await outcomeOf(`ctx.log('well')`)).log).toEqual(['well']);
  });

  test('says what is no JSON ends alone', async () => {
    const module = calling('produce', [I32], [...integer(0), ...integer(10), 0x10, 0, 0x1a]);
    expect(await outcomeOf(module)).toMatchObject({ kind: 'broken', cause: 'exception' });
  });

  test('leaves a huge state ends alone', async () => {
    const module = calling('setState', [], [...integer(0), ...integer(5000), 0x10, 0]);
    expect(await outcomeOf(module)).toMatchObject({ kind: 'broken', cause: 'output' });
  });

  test('imports a function of the host by another type is not loaded', async () => {
    const module = calling('produce', [], [...integer(0), ...integer(0), 0x10, 0]);
    expect(await refusalOf(module, 'webassembly')).toContain('another type');
  });

  test('exports no run, or one with parameters, is not loaded', async () => {
    const none = buildModule({ functions: [{ exported: 'go', code: [] }] });
    expect(await refusalOf(none, 'webassembly')).toContain('no-run');
    const other = buildModule({ functions: [{ exported: 'run', params: [I32], code: [] }] });
    expect(await refusalOf(other, 'webassembly')).toContain('no-run');
  });

  test('begins with a loop without an end ends by its fuel', async () => {
    const module = buildModule({
      functions: [{ code: [0x03, 0x40, 0x0c, 0, 0x0b] }, { exported: 'run', code: [] }],
      sections: { 8: [0] },
    });
    expect(await outcomeOf(module)).toMatchObject({ kind: 'broken', cause: 'fuel' });
  });
});
