import { accessSync, constants, readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename } from 'node:path';
import { splitBudget } from '../gossip/links/budget-url.ts';
import { parseSerialUrl } from '../gossip/links/serial-url.ts';

/** As `Finding` of the doctor, who asks. */
interface SerialFinding {
  readonly check: string;
  readonly state: 'ok' | 'problem';
  readonly found: string;
  readonly mend: string | null;
}

/** What is looked at; a test brings its own. */
export interface SerialSurroundings {
  /** What the kernel was started with, as in /proc/cmdline. */
  readonly commandLine: string;
  readonly isInstalled: boolean;
}

/** Looks at the serial devices among these URLs, without opening any. */
export function checkSerial(
  urls: readonly string[],
  surroundings: SerialSurroundings = ownSurroundings(),
): SerialFinding[] {
  const paths = urls
    .filter((url) => url.startsWith('serial:'))
    .map((url) => parseSerialUrl(splitBudget(url).url).path);
  return [...new Set(paths)].map((path) => {
    const check = `serial ${path}`;
    const [found, mend] = troubleOf(path, surroundings) ?? ['may be used', null];
    return { check, state: mend === null ? 'ok' : 'problem', found, mend };
  });
}

/** @returns what is wrong, and how to mend it; null where nothing is. */
function troubleOf(path: string, { commandLine, isInstalled }: SerialSurroundings) {
  if (!isInstalled) return ['serialport is not installed', 'npm install serialport'] as const;
  const device = statSync(path, { throwIfNoEntry: false });
  if (device === undefined) return ['no such device', 'Plug it in; then: ls /dev/tty*'] as const;
  if (!device.isCharacterDevice()) return ['no serial device', 'ls /dev/tty*'] as const;
  try {
    accessSync(path, constants.R_OK | constants.W_OK);
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : cause;
    const mend = 'sudo usermod -aG dialout $USER\n(Then log in again.)';
    return [`this user may not read and write it (${code})`, mend] as const;
  }
  const consoles = [...commandLine.matchAll(/\bconsole=([A-Za-z0-9]+)/g)].map((each) => each[1]);
  if (!consoles.includes(basename(path))) return null;
  const mend = `Take console=${basename(path)} out of the kernel's command line, and restart.`;
  return ['the kernel writes its messages to it', mend] as const;
}

function ownSurroundings(): SerialSurroundings {
  return { commandLine: readCommandLine(), isInstalled: isSerialPortThere() };
}

/** Linux alone has one to read. */
function readCommandLine(): string {
  try {
    return readFileSync('/proc/cmdline', 'utf8');
  } catch (cause) {
    if (cause instanceof Error) return '';
    throw cause;
  }
}

function isSerialPortThere(): boolean {
  try {
    createRequire(import.meta.url).resolve('serialport');
    return true;
  } catch (cause) {
    if (cause instanceof Error) return false;
    throw cause;
  }
}
