import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import type { BrokerLogin } from '../gossip/links/mqtt-connection.ts';
import { LinkError } from '../ports/link.ts';
import type { Config } from './config.ts';

/** A password of MQTT has at most 65,535 bytes; nobody's is that long. */
const PASSWORD_BYTES_MAX = 4_096;
const OTHERS_MASK = 0o077;

/**
 * User and password at the brokers, as the configuration says; null where it names no user.
 *
 * @throws LinkError LINK_DENIED where the password file is missing, open to others, empty or too
 * long. The message never holds what is in it.
 */
export function loadBrokerLogin(
  config: Pick<Config, 'mqttUser' | 'mqttPasswordFile'>,
): BrokerLogin | null {
  const { mqttUser: user, mqttPasswordFile: file } = config;
  if (file === '') return user === '' ? null : { user, password: null };
  if (user === '') throw denied(file, 'a password needs a user: set mqtt_user');
  if (!file.startsWith('/')) throw denied(file, 'mqtt_password_file is an absolute path');
  return { user, password: readPassword(file) };
}

function readPassword(file: string): string {
  let descriptor: number;
  try {
    // Without blocking: a pipe by that name must not hold us up.
    descriptor = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (cause) {
    throw denied(file, `it cannot be read (${systemCodeOf(cause)})`, cause);
  }
  try {
    const stat = fstatSync(descriptor);
    if (!stat.isFile()) throw denied(file, 'it is no plain file');
    if ((stat.mode & OTHERS_MASK) !== 0) {
      throw denied(file, `others than its owner may read it. Run: chmod 600 '${file}'`);
    }
    const bytes = Buffer.alloc(PASSWORD_BYTES_MAX + 1);
    const length = readSync(descriptor, bytes, 0, bytes.length, 0);
    if (length > PASSWORD_BYTES_MAX) throw denied(file, 'it is too long for a password');
    // Whoever writes a file with an editor ends its line.
    const password = bytes.toString('utf8', 0, length).replace(/\r?\n$/, '');
    if (password === '') throw denied(file, 'it is empty');
    return password;
  } finally {
    closeSync(descriptor);
  }
}

function denied(file: string, why: string, cause?: unknown): LinkError {
  return new LinkError('LINK_DENIED', `the password file ${file}: ${why}`, { cause });
}

function systemCodeOf(cause: unknown): string {
  return cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown';
}
