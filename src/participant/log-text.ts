import { Secret } from '../identity/secret.ts';

const DEPTH_MAX = 4;
const ITEMS_MAX = 32;
const TEXT_MAX = 1024;

/**
 * Turns any value into one that JSON can show within bounds: a Secret reads `[secret]`, bytes are
 * counted and not shown (they may be a secret's), an error gives its code and its causes.
 */
export function showable(value: unknown, depth = 0): unknown {
  if (value instanceof Secret) return '[secret]';
  if (typeof value === 'string') return cut(value, TEXT_MAX);
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (value === null || typeof value === 'boolean') return value;
  if (typeof value !== 'object') return `[${typeof value}]`;
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (depth >= DEPTH_MAX) return '[...]';
  if (value instanceof Error) return showError(value, depth);
  if (Array.isArray(value)) return showList(value, depth);
  return showObject(Object.entries(value), depth);
}

function showList(list: readonly unknown[], depth: number): unknown[] {
  const shown = list.slice(0, ITEMS_MAX).map((item) => showable(item, depth + 1));
  if (list.length > ITEMS_MAX) shown.push(`[${list.length - ITEMS_MAX} more]`);
  return shown;
}

function showObject(entries: readonly [string, unknown][], depth: number): object {
  const shown = entries.slice(0, ITEMS_MAX).map(([key, item]) => [key, showable(item, depth + 1)]);
  if (entries.length > ITEMS_MAX) shown.push(['...', `[${entries.length - ITEMS_MAX} more]`]);
  return Object.fromEntries(shown) as object;
}

function showError(error: Error, depth: number): object {
  const code = 'code' in error && typeof error.code === 'string' ? { code: error.code } : {};
  const cause = error.cause === undefined ? {} : { cause: showable(error.cause, depth + 1) };
  return { name: error.name, ...code, message: cut(error.message, TEXT_MAX), ...cause };
}

export function cut(text: string, charactersMax: number): string {
  return text.length <= charactersMax ? text : `${text.slice(0, charactersMax - 3)}...`;
}
