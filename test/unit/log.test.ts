import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Secret } from '../../src/identity/secret.ts';
import { type LogLevel, type LogOptions, openLogger } from '../../src/participant/log.ts';

const AT = Date.UTC(2026, 10, 21, 1, 2, 3, 4);

function collect(change: Partial<LogOptions> = {}) {
  const lines: string[] = [];
  const log = openLogger({
    level: 'debug',
    format: 'json',
    lineBytesMax: 2048,
    wallMs: () => AT,
    write: (line) => lines.push(line),
    ...change,
  });
  return { log, lines };
}

describe('a line', () => {
  test('is one JSON object with time, priority, level, message and fields', () => {
    const { log, lines } = collect();
    log.warn('link lost', { peer: 'attic', queuedBytes: 3 });
    expect(lines[0]!.endsWith('\n')).toBe(true);
    expect(JSON.parse(lines[0]!)).toEqual({
      at: '2026-11-21T01:02:03.004Z',
      priority: 4,
      level: 'warn',
      message: 'link lost',
      peer: 'attic',
      queuedBytes: 3,
    });
  });

  test('carries its priority before it where journald reads', () => {
    const { log, lines } = collect({ format: 'journal' });
    log.error('a');
    log.debug('b');
    expect(lines[0]).toMatch(/^<3>\{/);
    expect(lines[1]).toMatch(/^<7>\{/);
  });

  test('is for people on a terminal', () => {
    const { log, lines } = collect({ format: 'human' });
    log.with({ world: 'w' }).info('ready', { peers: 2, list: [1] });
    expect(lines).toEqual(['01:02:03.004 info  ready  world=w  peers=2  list=[1]\n']);
  });

  test('less important than the level is not written', () => {
    const order: LogLevel[] = ['error', 'warn', 'info', 'debug'];
    for (const [index, level] of order.entries()) {
      const { log, lines } = collect({ level });
      for (const each of order) log[each]('x');
      expect(lines).toHaveLength(index + 1);
    }
  });

  test('keeps its own names whatever the fields are called', () => {
    const { log, lines } = collect();
    log.info('true', { message: 'false', level: 'false', at: 'false', priority: 0 });
    expect(JSON.parse(lines[0]!)).toMatchObject({ message: 'true', level: 'info', priority: 6 });
  });
});

describe('nothing secret', () => {
  const secret = new Secret(new Uint8Array(32).fill(0xab));

  test.each(['json', 'human', 'journal'] as const)('leaves through a line in %s', (format) => {
    const { log, lines } = collect({ format });
    log.info('x', { secret, deep: { list: [secret, { secret }] }, raw: secret.reveal() });
    log.error('y', { error: new Error('e', { cause: secret }) });
    const text = lines.join('');
    expect(text).toContain('[secret]');
    for (const form of ['abab', '171,171', Buffer.from(secret.reveal()).toString('base64')]) {
      expect(text).not.toContain(form);
    }
    expect(inspect(lines)).not.toContain('abab');
  });
});

describe('whatever is told', () => {
  test('one line comes out, within its bound, and JSON where JSON was asked for', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 3000 }), fc.anything(), (text, value) => {
        const { log, lines } = collect();
        log.info(text, { value });
        expect(lines).toHaveLength(1);
        expect(Buffer.byteLength(lines[0]!)).toBeLessThanOrEqual(2049);
        expect(JSON.parse(lines[0]!)).toHaveProperty('priority', 6);
      }),
    );
  });

  test('no control character reaches a terminal', () => {
    const { log, lines } = collect({ format: 'human' });
    log.info('a\u001b[2Jb\nc', { name: '\u009b31m\u202e' });
    expect(lines[0]).toBe('01:02:03.004 info  a\\u001b[2Jb\\u000ac  name=\\u009b31m\\u202e\n');
  });

  test('no control character leaves in JSON either, and the text is the same', () => {
    const { log, lines } = collect();
    const name = '\u009b31m\u202e\u007f';
    log.info('a', { name });
    expect(lines[0]).not.toMatch(/[\u007f-\u009f\u202e]/);
    expect(JSON.parse(lines[0]!)).toMatchObject({ name });
  });

  test('a line for people keeps its bound, and its letters', () => {
    const { log, lines } = collect({ format: 'human', lineBytesMax: 1000 });
    log.info('é\u00e9'.repeat(1000));
    expect(Buffer.byteLength(lines[0]!)).toBeLessThanOrEqual(1001);
    expect(lines[0]).toMatch(/^[ -~é\ufffd]*\n$/);
  });

  test('an error shows its code and its causes', () => {
    const { log, lines } = collect();
    const cause = Object.assign(new Error('no such file'), { code: 'ENOENT' });
    log.error('x', { error: new TypeError('cannot open', { cause }) });
    expect(JSON.parse(lines[0]!).error).toEqual({
      name: 'TypeError',
      message: 'cannot open',
      cause: { name: 'Error', code: 'ENOENT', message: 'no such file' },
    });
  });

  test('a ring of objects ends', () => {
    const { log, lines } = collect();
    const ring: { next?: unknown } = {};
    ring.next = ring;
    log.info('x', { ring });
    expect(lines[0]).toContain('[...]');
  });
});
