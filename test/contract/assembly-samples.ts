import type { BehaviorSample } from './sandbox.ts';

const IMPORTS = `import { Json, at, device, entry, fail, log, produce, query, random,
  setState, state, tryProduce } from 'vertebra/behavior';
function celsius(value: f64): Json { return Json.record().setNumber('celsius', value); }
`;
const run = (body: string): string => `export function NAME_run(): void { ${body} }`;

/** Each exports its functions under its own name; `NAME` stands for it. */
const PARTS: Readonly<Record<BehaviorSample, string>> = {
  double: `${run(`
    const reading = entry();
    log(reading.get('name').asText);
    produce('order', celsius(reading.get('celsius').asNumber * 2));
    produce('order', celsius(reading.get('celsius').asNumber * 3));
    setState(Json.record().setNumber('n', state().get('n').asNumber + 1));`)}
    export function NAME_undo(): void { produce('order', celsius(-1)); }`,
  memory: `let count: f64 = 0; ${run('count++; produce("order", celsius(count));')}`,
  ask: run(`
    const rows = query('stock', Json.record().setText('name', 'bolt'), 5);
    produce('order', celsius(rows.length * 10));`),
  stranger: run(`if (tryProduce('secret', celsius(1)).length > 0) produce('order', celsius(7));`),
  refused: run(`log(tryProduce('order', celsius(1)));`),
  failing: run(`produce('order', celsius(1)); fail('out of stock'); produce('order', celsius(2));`),
  endless: run('for (;;) {}'),
  bomb: run('const all = new Array<ArrayBuffer>(); for (;;) all.push(new ArrayBuffer(10000));'),
  deep: `function deeper(n: i32): i32 { return n < 0 ? n : deeper(n + 1) + n; }
    ${run('log(deeper(0).toString());')}`,
  throwing: run(`throw new Error('broken on purpose');`),
  big: run(`for (;;) produce('order', celsius(1).setText('more', 'x'.repeat(10000)));`),
  chance: run(`
    produce('order', celsius(random()));
    produce('order', celsius(Math.random()));
    produce('order', celsius(at()));`),
  device: run(`
    device('fan', 'set', Json.list().push(Json.boolean(true)));
    log(device('probe', 'get').get('isHigh').asBoolean ? 'true' : 'false');
    device('probe', 'set', Json.list().push(Json.number(1)));`),
  strangedevice: run(`device('door', 'get');`),
};

/**
 * All in one module, because each one more takes seconds to compile: see `exportedPart`.
 * @source contract/sandbox.ts says what each does.
 */
export const ASSEMBLY: string = [
  IMPORTS,
  ...Object.entries(PARTS).map(([name, source]) => source.replaceAll('NAME', name)),
].join('\n');
