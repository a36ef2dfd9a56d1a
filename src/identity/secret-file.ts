import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  openSync,
  readSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { IdentityError, type IdentityErrorCode } from './identity-error.ts';
import type { Secret } from './secret.ts';
import type { SecretKind } from './secret-line.ts';
import { formatSecretLine, parseSecretLine, SECRET_LINE_BYTES_MAX } from './secret-line.ts';

const OWNER_ONLY_MODE = 0o600;
const OTHERS_MASK = 0o077;

/** The literal code of a failed system call, such as ENOENT. */
function systemCodeOf(cause: unknown): string {
  return cause instanceof Error && 'code' in cause ? String(cause.code) : 'an unknown fault';
}

/** Never prints anything but the path and the system's code. */
function failure(code: IdentityErrorCode, message: string, cause: unknown): IdentityError {
  return new IdentityError(code, message, { cause });
}

function openNew(path: string): number {
  try {
    return openSync(path, 'wx', OWNER_ONLY_MODE);
  } catch (cause) {
    const system = systemCodeOf(cause);
    if (system === 'EEXIST') {
      const mend = 'Use it, or name another file; it is not overwritten.';
      throw failure('IDENTITY_FILE_EXISTS', `${path} exists already. ${mend}`, cause);
    }
    const mend = 'Check that its folder exists and that you may write there.';
    throw failure('IDENTITY_FILE_UNWRITABLE', `${path} cannot be made (${system}). ${mend}`, cause);
  }
}

function openOld(path: string): number {
  try {
    // Without blocking: a pipe by that name must not hold us up.
    return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (cause) {
    const system = systemCodeOf(cause);
    if (system === 'ENOENT') {
      const mend = 'Check the path, or make the file first.';
      throw failure('IDENTITY_FILE_MISSING', `${path} does not exist. ${mend}`, cause);
    }
    const mend = 'Check who owns it: it must be readable by the user that runs vertebra.';
    throw failure('IDENTITY_FILE_UNREADABLE', `${path} cannot be read (${system}). ${mend}`, cause);
  }
}

function refuseExposed(path: string, descriptor: number): void {
  const mode = fstatSync(descriptor).mode;
  if ((mode & OTHERS_MASK) === 0) return;
  const bits = (mode & 0o777).toString(8).padStart(4, '0');
  throw new IdentityError(
    'IDENTITY_FILE_EXPOSED',
    `${path} is open to others than its owner (mode ${bits}). Run: chmod 600 '${path}' ` +
      '(a FAT or similar file system cannot keep it private: move it to another). ' +
      'If somebody may have read it, make a new one.',
  );
}

/** Makes the new name itself survive a power cut. */
function syncFolderOf(path: string): void {
  const folder = openSync(dirname(path), constants.O_RDONLY);
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

function writeWhole(path: string, descriptor: number, line: Uint8Array): void {
  refuseExposed(path, descriptor);
  for (let done = 0; done < line.length; ) done += writeSync(descriptor, line, done);
  fsyncSync(descriptor);
  syncFolderOf(path);
}

/**
 * Writes `secret` to a new file of mode 0600, durable when this returns. What could not be written
 * whole is removed again.
 *
 * @throws IdentityError
 */
export function createSecretFile(path: string, kind: SecretKind, secret: Secret): void {
  const descriptor = openNew(path);
  try {
    writeWhole(path, descriptor, Buffer.from(formatSecretLine(kind, secret)));
  } catch (cause) {
    unlinkSync(path);
    if (cause instanceof IdentityError) throw cause;
    const mend = 'Make room, or name a file on another disk.';
    const message = `${path} cannot be written (${systemCodeOf(cause)}). ${mend}`;
    throw failure('IDENTITY_FILE_UNWRITABLE', message, cause);
  } finally {
    closeSync(descriptor);
  }
}

/** @returns at most one byte more than the longest line, so that a longer file shows. */
function readWhole(path: string, descriptor: number): Uint8Array {
  const bytes = new Uint8Array(SECRET_LINE_BYTES_MAX + 1);
  let length = 0;
  try {
    for (let count = -1; count !== 0 && length < bytes.length; length += count) {
      count = readSync(descriptor, bytes, length, bytes.length - length, null);
    }
  } catch (cause) {
    const message = `${path} cannot be read (${systemCodeOf(cause)}). Check the disk.`;
    throw failure('IDENTITY_FILE_UNREADABLE', message, cause);
  }
  return bytes.subarray(0, length);
}

/**
 * Reads a file that `createSecretFile` made, here or on another device.
 *
 * @throws IdentityError if it is missing, not a plain file, open to others, or does not hold what
 * it should.
 */
export function loadSecretFile(path: string, kind: SecretKind): Secret {
  const descriptor = openOld(path);
  try {
    if (!fstatSync(descriptor).isFile()) {
      const message = `${path} is not a plain file. Name the file itself.`;
      throw new IdentityError('IDENTITY_FILE_UNREADABLE', message);
    }
    refuseExposed(path, descriptor);
    return parseSecretLine(readWhole(path, descriptor), kind, path);
  } finally {
    closeSync(descriptor);
  }
}
