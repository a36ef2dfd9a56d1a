import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CsvRows, JsonRows, TableRows } from '../../src/cli/row-writer.ts';
import { formatBytes, formatMs, formatTable, pad, plain, widthOf } from '../../src/cli/table.ts';

const write = (writer: CsvRows | JsonRows | TableRows, rows: readonly (readonly unknown[])[]) =>
  writer.begin() + rows.map((row) => writer.row(row)).join('') + writer.end();

describe('a table', () => {
  test('stands in columns, numbers to the right, a dash for nothing', () => {
    const text = formatTable(
      ['name', 'n'],
      [
        ['a', 5],
        ['long name', 123],
        [null, 7],
      ],
    );
    expect(text).toBe('NAME         N\na            5\nlong name  123\n-            7\n');
  });

  test('counts places, not code units', () => {
    expect(widthOf('ü')).toBe(1);
    expect(widthOf('u\u0308')).toBe(1);
    expect(widthOf('日本')).toBe(4);
    expect(pad('日', 4)).toBe('日  ');
  });

  test('lets no control character through', () => {
    expect(formatTable(['x'], [['\u001b[31m\n']])).toBe('X\n\\u001b[31m\\u000a\n');
    expect(plain('a\nb\u0007')).toBe('a\nb\\u0007');
  });
});

describe('rows of a query', () => {
  const rows = [
    ['a', 1, null, Uint8Array.of(0, 255)],
    ['b,"c"\n', 2.5, 9007199254740993n, new Uint8Array(0)],
  ];
  const columns = ['t', 'n', 'big', 'bytes'];

  test('as JSON are an object a line', () => {
    const lines = write(new JsonRows(columns), rows)
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines).toEqual([
      { t: 'a', n: 1, big: null, bytes: '00ff' },
      { t: 'b,"c"\n', n: 2.5, big: '9007199254740993', bytes: '' },
    ]);
  });

  test('as comma-separated values quote what must be quoted', () => {
    expect(write(new CsvRows(columns), rows)).toBe(
      't,n,big,bytes\na,1,,00ff\n"b,""c""\n",2.5,9007199254740993,\n',
    );
  });

  test('for people keep names as they are, a line each, and are counted', () => {
    const text = write(new TableRows(columns), rows);
    expect(text.split('\n')).toHaveLength(6);
    expect(text).toMatch(/^t +n +big +bytes\n-+ +-+ +-+ +-+\n/);
    expect(text).toContain('(2 rows)');
    expect(write(new TableRows(['x']), [])).toBe('x\n-\n(0 rows)\n');
  });

  test('for people come out while more are read', () => {
    const writer = new TableRows(['n']);
    const early = Array.from({ length: 500 }, (_, index) => writer.row([index])).join('');
    expect(early.split('\n')).toHaveLength(503);
    expect(writer.row([500])).toBe('500\n');
    expect(writer.end()).toBe('(501 rows)\n');
  });

  test('of any text are a line each for people', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary' }), { maxLength: 5 }), (texts) => {
        const lines = write(
          new TableRows(['x']),
          texts.map((text) => [text]),
        ).split('\n');
        expect(lines).toHaveLength(texts.length + 4);
      }),
    );
  });
});

test.each([
  [0, '0 B'],
  [1023, '1023 B'],
  [1024, '1.0 KiB'],
  [1536 * 1024, '1.5 MiB'],
  [2 ** 50, '1024.0 TiB'],
])('%i bytes are %s', (bytes, text) => expect(formatBytes(bytes)).toBe(text));

test.each([
  [0.25, '0.3 ms'],
  [999.4, '999.4 ms'],
  [1000, '1 s'],
  [61_000, '1 min 1 s'],
  [3_660_000, '1 h 1 min'],
  [3 * 86_400_000, '3 days'],
])('%d milliseconds are %s', (ms, text) => expect(formatMs(ms)).toBe(text));
