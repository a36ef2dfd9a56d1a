import { plainText } from '../participant/plain-text.ts';

/** Text from elsewhere, fit for a terminal; line feeds stay. */
export function plain(text: string): string {
  return text.split('\n').map(plainText).join('\n');
}

export type Cell = string | number | null;

/** How wide a column is, and on which side its cells stand. */
export interface Column {
  readonly width: number;
  readonly isRight: boolean;
}

/** Finds the columns that titles and rows fit into; numbers go to the right. */
export function measure(titles: readonly string[], rows: readonly (readonly Cell[])[]): Column[] {
  return titles.map((title, index) => ({
    width: rows.reduce(
      (width, row) => Math.max(width, widthOf(formatCell(row[index] ?? null))),
      widthOf(title),
    ),
    isRight: rows.length > 0 && rows.every((row) => typeof row[index] === 'number'),
  }));
}

/** @returns a line with its line feed; a dash stands for null. */
export function formatRow(columns: readonly Column[], row: readonly Cell[]): string {
  const cells = columns.map(({ width, isRight }, index) =>
    pad(formatCell(row[index] ?? null), width, isRight),
  );
  return `${cells.join('  ').trimEnd()}\n`;
}

/** Lays rows out in columns below titles in capitals. */
export function formatTable(titles: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const columns = measure(titles, rows);
  const heads = titles.map((title) => title.toUpperCase());
  return [heads, ...rows].map((row) => formatRow(columns, row)).join('');
}

function formatCell(cell: Cell): string {
  return cell === null || cell === '' ? '-' : plainText(String(cell));
}

/** Characters that take no place of their own, or two (East Asian Width, Unicode TR 11). */
const NARROW = /\p{Mark}|\u200d|\ufe0f/gu;
const WIDE = /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60]/gu;
const PICTURE = /\p{Emoji_Presentation}/gu;

export function widthOf(text: string): number {
  const base = [...text.replace(NARROW, '')].length;
  return base + (text.match(WIDE)?.length ?? 0) + (text.match(PICTURE)?.length ?? 0);
}

export function pad(text: string, width: number, isRight = false): string {
  const space = ' '.repeat(Math.max(0, width - widthOf(text)));
  return isRight ? space + text : text + space;
}

/** The beginning of an id, long enough to tell a World's members apart. */
export function short(id: string): string {
  return id.slice(0, 12);
}

export function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}

export function formatMs(ms: number): string {
  if (ms < 1000) return `${Math.round(ms * 10) / 10} ms`;
  const seconds = Math.floor(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} days`;
}
