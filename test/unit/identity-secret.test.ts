import { format, inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { Secret } from '../../src/identity/secret.ts';

const BYTES = Uint8Array.from({ length: 32 }, (_, index) => 200 - index);

/** Every way in which logs, errors and JSON turn a value into text. */
function printsOf(value: unknown): string[] {
  return [
    String(value),
    `${value}`,
    JSON.stringify({ value }),
    format('%s %o %j %O', value, value, value, value),
    inspect({ nested: [value] }, { depth: 9, showHidden: true }),
    String(new Error('with a cause', { cause: value }).cause),
    JSON.stringify(structuredClone({ value })),
  ];
}

describe('Secret', () => {
  it('reads [secret] in whatever way it is printed', () => {
    const secret = new Secret(BYTES);
    const [text, template, json] = printsOf(secret);
    expect([text, template, json]).toEqual(['[secret]', '[secret]', '{"value":"[secret]"}']);
    expect(inspect(secret)).toBe('[secret]');
    const digits = Buffer.from(BYTES);
    for (const print of printsOf(secret)) {
      expect(print).not.toContain(digits.toString('hex').slice(0, 8));
      expect(print).not.toContain(digits.toString('base64').slice(0, 8));
      expect(print).not.toMatch(/200, ?199/);
    }
    expect(Object.keys(secret)).toEqual([]);
  });

  it('keeps a copy, and gives copies', () => {
    const given = BYTES.slice();
    const secret = new Secret(given);
    given.fill(0);
    secret.reveal().fill(1);
    expect(secret.reveal()).toEqual(BYTES);
  });

  it('equals another with the same bytes, and no other', () => {
    const secret = new Secret(BYTES);
    const other = BYTES.slice();
    other[31]! ^= 1;
    expect(secret.equals(new Secret(BYTES))).toBe(true);
    expect(secret.equals(new Secret(other))).toBe(false);
    expect(secret.equals(new Secret(BYTES.subarray(1)))).toBe(false);
  });

  it('is fresh each time it is made at random', () => {
    const many = Array.from({ length: 64 }, () => Buffer.from(Secret.random(32).reveal()));
    expect(new Set(many.map((each) => each.toString('hex'))).size).toBe(64);
    expect(many.every((each) => each.length === 32)).toBe(true);
  });
});
