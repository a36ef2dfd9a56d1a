import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { IdentityError } from '../../src/identity/identity-error.ts';
import { Secret } from '../../src/identity/secret.ts';
import { createSecretFile, loadSecretFile } from '../../src/identity/secret-file.ts';
import {
  formatSecretLine,
  parseSecretLine,
  SECRET_LINE_BYTES_MAX,
} from '../../src/identity/secret-line.ts';

const SECRET = new Secret(Uint8Array.from({ length: 32 }, (_, index) => index * 7 + 1));
const DIGITS = Buffer.from(SECRET.reveal()).toString('base64url');

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vertebra-identity-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Runs `act`, which must throw an IdentityError that shows nothing of the secret. */
function errorOf(act: () => unknown): IdentityError {
  try {
    act();
  } catch (error) {
    if (!(error instanceof IdentityError)) throw error;
    const text = `${error.message} ${String(error.cause)} ${error.stack}`;
    expect(text).not.toContain(DIGITS.slice(0, 10));
    return error;
  }
  throw new Error('it should have failed');
}

function fileWith(content: string | Uint8Array, mode = 0o600): string {
  const path = join(folder, 'secret');
  writeFileSync(path, content, { mode });
  chmodSync(path, mode);
  return path;
}

describe('a secret in a file', () => {
  it.each(['participant', 'world'] as const)('comes back as it was written: %s', (kind) => {
    const path = join(folder, 'secret');
    createSecretFile(path, kind, SECRET);
    expect(loadSecretFile(path, kind).equals(SECRET)).toBe(true);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readFileSync(path, 'utf8')).toBe(`vertebra-${kind}-1 ${DIGITS}\n`);
  });

  it('has mode 0600 even under a umask that hides nothing', () => {
    const before = process.umask(0);
    try {
      const path = join(folder, 'secret');
      createSecretFile(path, 'world', SECRET);
      expect(statSync(path).mode & 0o777).toBe(0o600);
    } finally {
      process.umask(before);
    }
  });

  it('is never overwritten, nor written through a link', () => {
    const path = fileWith('something of the user\n');
    expect(errorOf(() => createSecretFile(path, 'world', SECRET)).code).toBe(
      'IDENTITY_FILE_EXISTS',
    );
    expect(readFileSync(path, 'utf8')).toBe('something of the user\n');
    const link = join(folder, 'link');
    symlinkSync(join(folder, 'elsewhere'), link);
    expect(errorOf(() => createSecretFile(link, 'world', SECRET)).code).toBe(
      'IDENTITY_FILE_EXISTS',
    );
    expect(readdirSync(folder).sort()).toEqual(['link', 'secret']);
  });

  it('cannot be made where there is no folder, and says so', () => {
    const error = errorOf(() => createSecretFile(join(folder, 'no', 'secret'), 'world', SECRET));
    expect(error.code).toBe('IDENTITY_FILE_UNWRITABLE');
    expect(error.message).toMatch(/ENOENT.*folder exists/);
    expect(error.cause).toBeInstanceOf(Error);
  });

  it('that is missing is named', () => {
    const path = join(folder, 'missing');
    const error = errorOf(() => loadSecretFile(path, 'world'));
    expect(error.code).toBe('IDENTITY_FILE_MISSING');
    expect(error.message).toContain(path);
  });

  it.each([0o640, 0o604, 0o620, 0o602, 0o610, 0o644, 0o666])(
    'is refused when others than its owner have a right to it: %i',
    (mode) => {
      const path = fileWith(formatSecretLine('world', SECRET), mode);
      const error = errorOf(() => loadSecretFile(path, 'world'));
      expect(error.code).toBe('IDENTITY_FILE_EXPOSED');
      expect(error.message).toContain(`chmod 600 '${path}'`);
      expect(error.message).toContain(`0${mode.toString(8)}`);
    },
  );

  it('may be read-only for its owner', () => {
    const path = fileWith(formatSecretLine('world', SECRET), 0o400);
    expect(loadSecretFile(path, 'world').equals(SECRET)).toBe(true);
  });

  it('is a plain file: a folder and a pipe are refused without waiting', () => {
    const sub = join(folder, 'sub');
    mkdirSync(sub);
    expect(errorOf(() => loadSecretFile(sub, 'world')).code).toBe('IDENTITY_FILE_UNREADABLE');
    const pipe = join(folder, 'pipe');
    expect(spawnSync('mkfifo', ['-m', '600', pipe]).status).toBe(0);
    expect(errorOf(() => loadSecretFile(pipe, 'world')).code).toBe('IDENTITY_FILE_UNREADABLE');
  });

  it('is refused at every length but its own', () => {
    const line = formatSecretLine('world', SECRET);
    for (let length = 0; length < line.length - 1; length++) {
      const error = errorOf(() => loadSecretFile(fileWith(line.slice(0, length)), 'world'));
      expect(error.code, `${length} bytes`).toBe('IDENTITY_FILE_WRONG_SIZE');
      expect(error.message).toContain(`${line.length} bytes and has ${length}.`);
    }
    for (const tail of ['\n\n', 'A', ' '.repeat(100), '\n'.repeat(100_000)]) {
      const error = errorOf(() => loadSecretFile(fileWith(line + tail), 'world'));
      expect(error.code).toMatch(/WRONG_SIZE|MALFORMED/);
    }
  });

  it('is refused when it is of the other kind, and the error says which', () => {
    const path = fileWith(formatSecretLine('participant', SECRET));
    const error = errorOf(() => loadSecretFile(path, 'world'));
    expect(error.code).toBe('IDENTITY_FILE_MALFORMED');
    expect(error.message).toContain("holds a Participant's seed, where a World identifier");
  });
});

describe('a secret on a line', () => {
  const parse = (text: string) => parseSecretLine(Buffer.from(text), 'world', 'the input');

  it('may end in a line feed, in both signs, or in none', () => {
    const line = formatSecretLine('world', SECRET).trimEnd();
    for (const end of ['', '\n', '\r\n']) expect(parse(line + end).equals(SECRET)).toBe(true);
    expect(SECRET_LINE_BYTES_MAX).toBe(formatSecretLine('participant', SECRET).length + 1);
  });

  it('has one text: whatever else decodes to the same bytes is refused', () => {
    const line = formatSecretLine('world', SECRET);
    const last = line.at(-2)!;
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const accepted = [...alphabet].filter((digit) => {
      try {
        return parse(`${line.slice(0, -2)}${digit}\n`).equals(SECRET);
      } catch (error) {
        expect(error).toBeInstanceOf(IdentityError);
        return false;
      }
    });
    expect(accepted).toEqual([last]);
  });

  it('is refused with any character that does not belong there', () => {
    const line = formatSecretLine('world', SECRET);
    for (const wrong of [' ', '+', '/', '=', '\0', '\n', 'é']) {
      for (const at of [0, 16, 17, 40, line.length - 2]) {
        if (line[at] === wrong) continue;
        const text = line.slice(0, at) + wrong + line.slice(at + 1);
        expect(errorOf(() => parse(text)).code).toMatch(/MALFORMED|WRONG_SIZE/);
      }
    }
    expect(errorOf(() => parse(line.replace('-1', '-2'))).code).toBe('IDENTITY_FILE_MALFORMED');
  });
});
