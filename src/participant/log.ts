import { fstatSync } from 'node:fs';
import { cut, showable } from './log-text.ts';
import { plainJson, plainText } from './plain-text.ts';

export type LogLevel = 'error' | 'warn' | 'info' | 'debug';
export type LogFields = Readonly<Record<string, unknown>>;

/** Priorities of syslog, which journald goes by (sd-daemon(3)). */
const PRIORITIES = { error: 3, warn: 4, info: 6, debug: 7 } as const satisfies Record<
  LogLevel,
  number
>;

/** Writes what happened, a line each. Never throws for what it is told. */
export interface Logger {
  /** Somebody has to do something. */
  error(message: string, fields?: LogFields): void;
  /** Something went wrong that mends itself, or a peer lied. */
  warn(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  debug(message: string, fields?: LogFields): void;
  /** A logger whose lines all carry these fields. */
  with(fields: LogFields): Logger;
}

export interface LogOptions {
  readonly level: LogLevel;
  /** `journal` is `json` behind the `<6>` by which journald knows the priority. */
  readonly format: 'json' | 'journal' | 'human';
  readonly lineBytesMax: number;
  readonly wallMs: () => number;
  /** Takes a line with its line feed. */
  readonly write: (line: string) => void;
}

export function openLogger(options: LogOptions, fields: LogFields = {}): Logger {
  const write = (level: LogLevel, message: string, more: LogFields = {}): void => {
    if (PRIORITIES[level] > PRIORITIES[options.level]) return;
    const line = { level, message, fields: { ...fields, ...more } };
    options.write(`${boundLine(formatLine(options, line), options.lineBytesMax)}\n`);
  };
  return {
    error: (message, more) => write('error', message, more),
    warn: (message, more) => write('warn', message, more),
    info: (message, more) => write('info', message, more),
    debug: (message, more) => write('debug', message, more),
    with: (more) => openLogger(options, { ...fields, ...more }),
  };
}

interface Line {
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: LogFields;
}

function formatLine(options: LogOptions, line: Line): { text: string; short: string } {
  const at = new Date(options.wallMs()).toISOString();
  const fields = showable(line.fields) as Record<string, unknown>;
  const { level } = line;
  if (options.format === 'human') {
    const message = plainText(cut(line.message, 1024));
    const short = `${at.slice(11, 23)} ${level.padEnd(5)} ${message}`;
    const shown = Object.entries(fields).map(([key, value]) => `${key}=${humanValue(value)}`);
    return { text: [short, ...shown].join('  '), short };
  }
  const mark = options.format === 'journal' ? `<${PRIORITIES[level]}>` : '';
  const head = { at, priority: PRIORITIES[level], level };
  const own = { ...head, message: cut(line.message, 1024) };
  const cutAt = Math.floor(options.lineBytesMax / 8);
  return {
    // Twice: the first settles the order of the names, the second that no field takes their place.
    text: mark + plainJson({ ...own, ...fields, ...own }),
    short: mark + plainJson({ ...head, message: cut(line.message, cutAt), cut: true }),
  };
}

function humanValue(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return plainText(text);
}

/** A line that is too long loses its fields, and stays one that a reader of JSON can read. */
function boundLine(line: { text: string; short: string }, bytesMax: number): string {
  if (Buffer.byteLength(line.text) <= bytesMax) return line.text;
  if (Buffer.byteLength(line.short) <= bytesMax) return line.short;
  // Half a character at the end becomes one that says so, of up to two bytes more.
  return Buffer.from(line.short)
    .subarray(0, bytesMax - 2)
    .toString('utf8');
}

/** The log of a process: to stderr, in the form that whoever reads it there can use. */
export function openStderrLogger(options: {
  readonly level: LogLevel;
  readonly format: 'auto' | 'json' | 'human';
  readonly lineBytesMax: number;
}): Logger {
  return openLogger({
    level: options.level,
    format: options.format === 'auto' ? formatOfStderr() : options.format,
    lineBytesMax: options.lineBytesMax,
    wallMs: Date.now,
    write: (line) => process.stderr.write(line),
  });
}

function formatOfStderr(): LogOptions['format'] {
  if (process.stderr.isTTY) return 'human';
  return isJournal(process.env['JOURNAL_STREAM']) ? 'journal' : 'json';
}

/** systemd names the journal's socket by device and inode (systemd.exec(5), JOURNAL_STREAM). */
function isJournal(stream: string | undefined): boolean {
  if (stream === undefined) return false;
  const { dev, ino } = fstatSync(process.stderr.fd);
  return stream === `${dev}:${ino}`;
}
