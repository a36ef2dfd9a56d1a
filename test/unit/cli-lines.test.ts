import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type JsonLine, readLines } from '../../src/api/body.ts';
import { ProblemError } from '../../src/api/problem.ts';

async function read(bytes: Uint8Array, size: number, lineBytesMax = 1000) {
  async function* chunks(): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
  }
  const lines: JsonLine[] = [];
  try {
    for await (const some of readLines(chunks(), lineBytesMax)) lines.push(...some);
    return { lines, error: null };
  } catch (error) {
    if (error instanceof ProblemError) return { lines, error };
    throw error;
  }
}

describe('lines of JSON', () => {
  test('are the same however they are cut', async () => {
    const value = fc.jsonValue();
    await fc.assert(
      fc.asyncProperty(fc.array(value), fc.integer({ min: 1, max: 50 }), async (values, size) => {
        const text = values.map((each) => JSON.stringify(each)).join('\n');
        const { lines, error } = await read(Buffer.from(text), size, 100_000);
        expect(error).toBeNull();
        expect(lines.map((each) => JSON.stringify(each.value))).toEqual(
          values.map((each) => JSON.stringify(each)),
        );
        expect(lines.map((each) => each.line)).toEqual(values.map((_, index) => index + 1));
      }),
    );
  });

  test('are counted with the empty ones, and end in any way', async () => {
    for (const text of ['1\n\n \n2', '1\r\n\r\n\r\n2\r\n', '1\n\n\n2\n\n']) {
      for (const size of [1, 2, 100]) {
        const { lines } = await read(Buffer.from(text), size);
        expect(lines).toEqual([
          { line: 1, value: 1 },
          { line: 4, value: 2 },
        ]);
      }
    }
  });

  test.each([
    ['no JSON', Buffer.from('1\n2\n{"a"\n4\n'), 'line 3'],
    ['no text', Buffer.from([0x31, 0x0a, 0x32, 0x0a, 0x22, 0xff, 0x22, 0x0a, 0x34]), null],
  ])('before one that is %s are given, and its number is told', async (_what, bytes, where) => {
    for (const size of [1, 3, 100]) {
      const { lines, error } = await read(bytes, size);
      expect(lines.map((each) => each.value)).toEqual([1, 2]);
      expect(error?.code).toBe('body-malformed');
      expect(error?.where).toBe(where);
      expect(error?.message).toMatch(/line 3/i);
    }
  });

  test('may be as long as the limit and no longer, whole or not', async () => {
    const line = (length: number) => Buffer.from(`1\n"${'é'.repeat((length - 2) / 2)}"\n2`);
    for (const size of [1, 7, 1000]) {
      expect((await read(line(20), size, 20)).lines).toHaveLength(3);
      const { lines, error } = await read(line(22), size, 20);
      expect([lines.length, error?.code]).toEqual([1, 'body-too-long']);
    }
    let given = 0;
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (;;) {
        given++;
        yield Buffer.alloc(10, 0x20);
      }
    }
    await expect(readLines(endless(), 25).next()).rejects.toThrow(/longer than 25 bytes/);
    expect(given).toBe(3);
  });
});
