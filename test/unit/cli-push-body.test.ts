import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readPushBody } from '../../src/cli/push-body.ts';

async function* cut(text: string, size: number): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function read(text: string, size = 7): Promise<{ type: string; text: string }> {
  const { type, content } = await readPushBody(cut(text, size));
  if (typeof content === 'string') return { type, text: content };
  const chunks: Uint8Array[] = [];
  for await (const chunk of content) chunks.push(chunk);
  return { type, text: Buffer.concat(chunks).toString() };
}

describe('what is pushed', () => {
  test.each([
    ['a list', '[{"a":1},\n{"a":2}]', 'application/json'],
    ['a list after spaces', '\n\n  [ ]', 'application/json'],
    ['an object over lines', '{\n "a": 1\n}\n', 'application/json'],
    ['no JSON', 'a=1\nb=2\n', 'application/json'],
    ['one line', '{"a":1}', 'application/x-ndjson'],
    ['lines', '{"a":1}\n{"a":2}\n', 'application/x-ndjson'],
    ['lines after empty ones', '\n\n{"a":1}\n{"a":2}', 'application/x-ndjson'],
    ['a bad second line', '{"a":1}\n{"a":', 'application/x-ndjson'],
    ['nothing', '', 'application/x-ndjson'],
    ['spaces', ' \n ', 'application/x-ndjson'],
  ])('as %s is told by its beginning, however it is cut', async (_what, text, type) => {
    for (const size of [1, 2, 3, 7, 1000]) expect(await read(text, size)).toEqual({ type, text });
  });

  test('goes on whole, whatever it is', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: 'grapheme' }),
        fc.integer({ min: 1, max: 9 }),
        async (text, size) => {
          expect((await read(text, size)).text).toBe(text);
        },
      ),
    );
  });

  test('as lines is not read to its end before it goes on', async () => {
    let given = 0;
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (;;) {
        given++;
        yield Buffer.from('{"a":1}\n');
      }
    }
    const { type } = await readPushBody(endless());
    expect([type, given]).toEqual(['application/x-ndjson', 1]);
  });
});
