import { readFileSync } from 'node:fs';
import { parse as parseToml, TomlError } from 'smol-toml';
import { Errors } from 'typebox/schema';
import {
  type Config,
  DEFAULT_CONFIG,
  keyOf,
  SETTING_NAMES,
  SETTING_ORDER,
  SETTINGS,
  type Setting,
  type SettingName,
  variableOf,
} from './config.ts';

const CONFIG_FILE_BYTES_MAX = 64 * 1024;
const PROBLEMS_MAX = 10;

/** A value that somebody gave is not one that the agent can work with; the message names it. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly code:
    | 'CONFIG_UNREADABLE'
    | 'CONFIG_NOT_TOML'
    | 'CONFIG_UNKNOWN'
    | 'CONFIG_NOT_PERMITTED';

  constructor(code: ConfigError['code'], message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

export interface ConfigSources {
  /** `vertebra.toml`; one that does not exist counts as empty. Null: none. */
  readonly file: string | null;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** What the command line said; wins over all else. */
  readonly flags?: Partial<Config>;
}

/** Values of one source, and how to call a setting there. */
interface Source {
  readonly values: ReadonlyMap<SettingName, unknown>;
  readonly whereIs: (name: SettingName) => string;
}

/**
 * Puts the configuration together: flag before environment before file before default.
 *
 * @throws ConfigError that names file, key, what is wrong and what is permitted.
 */
export function loadConfig(sources: ConfigSources): Config {
  const all = [
    ...(sources.file === null ? [] : [readFile(sources.file)]),
    readEnvironment(sources.environment),
    readFlags(sources.flags ?? {}),
  ];
  const merged: Record<string, unknown> = { ...DEFAULT_CONFIG };
  const origin = new Map<SettingName, string>();
  for (const source of all) {
    for (const [name, value] of source.values) {
      merged[name] = value;
      origin.set(name, source.whereIs(name));
    }
  }
  refuseOutOfOrder(merged as Config, origin);
  return Object.freeze(merged) as Config;
}

function readFile(path: string): Source {
  const text = readText(path);
  const table = parseFile(path, text);
  const values = new Map<SettingName, unknown>();
  for (const [key, value] of Object.entries(table)) {
    // Sections of their own: device-settings.ts.
    if (key === 'devices') continue;
    const name = SETTING_NAMES.find((each) => keyOf(each) === key);
    if (name === undefined) throw unknownKey(`${path}${lineOf(text, key)}`, key);
    values.set(name, value);
  }
  return checked({
    values,
    whereIs: (name) => `${path}${lineOf(text, keyOf(name))}: ${keyOf(name)}`,
  });
}

/** The file as it is, unchecked. @throws ConfigError CONFIG_UNREADABLE, CONFIG_NOT_TOML */
export function readTable(path: string): Record<string, unknown> {
  return parseFile(path, readText(path));
}

function readText(path: string): string {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return '';
    const system = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown';
    throw new ConfigError('CONFIG_UNREADABLE', `${path} cannot be read (${system}).`, { cause });
  }
  if (bytes.length <= CONFIG_FILE_BYTES_MAX) return bytes.toString('utf8');
  throw new ConfigError(
    'CONFIG_NOT_PERMITTED',
    `${path} has ${bytes.length} bytes; at most ${CONFIG_FILE_BYTES_MAX} are permitted.`,
  );
}

function parseFile(path: string, text: string): Record<string, unknown> {
  try {
    return parseToml(text);
  } catch (cause) {
    if (!(cause instanceof TomlError)) throw cause;
    const reason = cause.message.split('\n')[0] ?? '';
    const message = `${path}:${cause.line}:${cause.column}: ${reason}`;
    throw new ConfigError('CONFIG_NOT_TOML', message, { cause });
  }
}

/** @returns `:LINE` of the first line that sets `key`, or nothing where it is written otherwise. */
function lineOf(text: string, key: string): string {
  const index = text.split('\n').findIndex((line) => line.trimStart().startsWith(key));
  return index < 0 ? '' : `:${index + 1}`;
}

function readEnvironment(environment: ConfigSources['environment']): Source {
  const values = new Map<SettingName, unknown>();
  for (const name of SETTING_NAMES) {
    const text = environment[variableOf(name)];
    if (text !== undefined) values.set(name, parseVariable(SETTINGS[name], text));
  }
  return checked({ values, whereIs: variableOf });
}

/** A list in a variable is parted by commas; what is no number stays text and is refused later. */
function parseVariable(setting: Setting, text: string): unknown {
  if (setting.type === 'string') return text;
  if (setting.type === 'array') {
    const items = text.split(',').map((item) => item.trim());
    return items.filter((item) => item !== '');
  }
  return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text;
}

function readFlags(flags: Partial<Config>): Source {
  const values = new Map<SettingName, unknown>();
  for (const name of SETTING_NAMES) if (flags[name] !== undefined) values.set(name, flags[name]);
  return checked({ values, whereIs: (name) => `--${keyOf(name).replaceAll('_', '-')}` });
}

function checked(source: Source): Source {
  const problems: string[] = [];
  for (const [name, value] of source.values) {
    const setting: Setting = SETTINGS[name];
    const [holds] = Errors(setting, value);
    if (holds) continue;
    problems.push(`${source.whereIs(name)} is ${show(value)}; permitted: ${permitted(setting)}.`);
    if (problems.length === PROBLEMS_MAX) break;
  }
  if (problems.length === 0) return source;
  throw new ConfigError('CONFIG_NOT_PERMITTED', problems.join('\n'));
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length <= 80 ? text : `${text.slice(0, 77)}...`;
}

/** Says in words what a setting may be. */
export function permitted(setting: Setting): string {
  switch (setting.type) {
    case 'integer':
      return `a whole number from ${setting.minimum} to ${setting.maximum}`;
    case 'number':
      return `a number from ${setting.minimum} to ${setting.maximum}`;
    case 'array':
      return `a list of at most ${setting.maxItems} texts`;
    case 'string':
      if ('enum' in setting) return setting.enum.join(', ');
      return `text of at most ${setting.maxLength} characters, without control characters`;
    default:
      return setting satisfies never;
  }
}

function unknownKey(where: string, key: string): ConfigError {
  const nearest = nearestOf(key, SETTING_NAMES.map(keyOf));
  return new ConfigError(
    'CONFIG_UNKNOWN',
    `${where}: there is no setting ${show(key)}. Did you mean ${nearest}?`,
  );
}

function refuseOutOfOrder(config: Config, origin: ReadonlyMap<SettingName, string>): void {
  for (const [low, high] of SETTING_ORDER) {
    if (config[low] <= config[high]) continue;
    const where = origin.get(low) ?? origin.get(high) ?? keyOf(low);
    throw new ConfigError(
      'CONFIG_NOT_PERMITTED',
      `${where}: ${keyOf(low)} (${show(config[low])}) may not be above ` +
        `${keyOf(high)} (${show(config[high])}).`,
    );
  }
}

/** @returns the candidate that the fewest single-letter changes lead to. */
export function nearestOf(text: string, candidates: readonly string[]): string {
  let nearest = candidates[0] ?? '';
  let fewest = Number.POSITIVE_INFINITY;
  for (const candidate of candidates) {
    const changes = distance(text.slice(0, 64), candidate);
    if (changes < fewest) [nearest, fewest] = [candidate, changes];
  }
  return nearest;
}

/** Levenshtein's distance. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const swap = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, swap));
    }
    row = next;
  }
  return row[b.length]!;
}
