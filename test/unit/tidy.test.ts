import { describe, expect, test } from 'vitest';
import * as rules from './house-rules.ts';
import { parseSource, readSources } from './source-file.ts';

/**
 * Places that may break a rule, each with its reason. The list only shrinks: an entry that is no
 * longer needed fails as well.
 */
const EXCEPTIONS: readonly { rule: rules.HouseRule; path: string; reason: string }[] = [];

const src = readSources('src');
const assembly = readSources('assembly');
const tests = readSources('test');
const tools = [...readSources('.ci'), ...readSources('bench')];
const all = [...src, ...assembly, ...tests, ...tools];
const PURE = /^src\/(model|ports|dataflow|log|consensus|saga)\//;
const DECIDING = /^src\/(model|log|consensus|saga)\//;

const HOUSE: readonly [string, rules.HouseRule, typeof all][] = [
  ['a file has at most 300 lines', rules.fileLength, [...src, ...assembly, ...tools]],
  ['a line has at most 100 characters', rules.lineLength, all],
  ['a function has at most 60 lines', rules.functionLength, [...src, ...assembly, ...tools]],
  ['a function has at most 4 parameters', rules.parameterCount, [...src, ...tools]],
  ['a file is named by one noun', rules.fileName, all],
  ['types are honest', rules.honestTypes, [...src, ...assembly, ...tests]],
  ['nothing is left for later', rules.nothingLeft, all],
  ['no error is swallowed', rules.loudCatch, all],
  ['pure rooms ask ports for the world', rules.pureRoom, src.filter((f) => PURE.test(f.path))],
  ['decisions are synchronous', rules.synchronous, src.filter((f) => DECIDING.test(f.path))],
  ['no test sleeps', rules.wakefulTest, tests],
];

describe('the house is tidy', () => {
  test.each(HOUSE)('%s', (_name, rule, files) => {
    expect(files.length).toBeGreaterThan(0);
    const excused = EXCEPTIONS.filter((each) => each.rule === rule).map((each) => each.path);
    const offenders = files.filter((file) => rule(file).length > 0).map((file) => file.path);
    expect(excused.filter((path) => !offenders.includes(path))).toEqual([]);
    expect(files.filter((f) => !excused.includes(f.path)).flatMap(rule)).toEqual([]);
  });
});

const long = (count: number) => 'x;\n'.repeat(count);
const wide = (count: number) => 'x'.repeat(count);

describe('each rule sees both sides of its edge', () => {
  test.each<[string, rules.HouseRule, good: string, bad: string]>([
    ['fileLength', rules.fileLength, long(300), long(301)],
    ['lineLength', rules.lineLength, wide(100), wide(101)],
    [
      'functionLength',
      rules.functionLength,
      `const f = () => {\n${long(58)}};`,
      `class A { m() {\n${long(59)}} }`,
    ],
    [
      'parameterCount',
      rules.parameterCount,
      'f = (a, b, c, d) => a',
      'function f(a, b, c, d, e) {}',
    ],
    ['honestTypes', rules.honestTypes, 'let many: unknown = x as Y', 'let x: any'],
    ['honestTypes, twice', rules.honestTypes, 'x as unknown', 'x as unknown as Y'],
    ['nothingLeft', rules.nothingLeft, '// ToDo list', `// ${'TO'}${'DO'}: rest`],
    ['nothingLeft, checker', rules.nothingLeft, '// ts', `// @ts-${'ignore'}`],
    ['loudCatch', rules.loudCatch, 'try { x } catch { y }', 'try { x } catch { /* so what */ }'],
    ['loudCatch, promise', rules.loudCatch, 'p.catch((e) => log(e))', 'p.catch(() => undefined)'],
    ['pureRoom, clock', rules.pureRoom, 'clock.Date', 'Date.now()'],
    ['pureRoom, chance', rules.pureRoom, 'Math.max(1, 2)', 'Math.random()'],
    ['pureRoom, timer', rules.pureRoom, 'x.setTimeout(f)', 'setTimeout(f, 1)'],
    ['synchronous', rules.synchronous, 'const f = () => 1', 'async function f() { await g() }'],
    ['wakefulTest', rules.wakefulTest, "test.each([])('x', f)", "test.skip('x', f)"],
    ['wakefulTest, chained', rules.wakefulTest, 'options.only', "describe.concurrent.only('x', f)"],
  ])('%s', (_name, rule, good, bad) => {
    expect(rule(parseSource('src/model/good.ts', good))).toEqual([]);
    expect(rule(parseSource('src/model/bad.ts', bad))).not.toEqual([]);
  });

  test('fileName', () => {
    expect(rules.fileName(parseSource('src/model/entry-buffer.ts', ''))).toEqual([]);
    for (const name of ['entryBuffer', 'entry_buffer', 'string-utils', 'manager']) {
      expect(rules.fileName(parseSource(`src/model/${name}.ts`, ''))).toHaveLength(1);
    }
  });
});
