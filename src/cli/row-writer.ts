import { plainJson } from '../participant/plain-text.ts';
import { type Cell, type Column, formatRow, measure } from './table.ts';

/** Turns rows of a query into text, a row at a time. */
export interface RowWriter {
  begin(): string;
  row(values: readonly unknown[]): string;
  end(): string;
}

/** Bytes read as hexadecimal digits; integers beyond 2^53 stay whole as text. */
function toPlain(value: unknown): Cell {
  if (value === null || typeof value === 'number') return value;
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  return String(value);
}

/** One JSON object a row. */
export class JsonRows implements RowWriter {
  readonly #columns: readonly string[];

  constructor(columns: readonly string[]) {
    this.#columns = columns;
  }

  begin(): string {
    return '';
  }

  row(values: readonly unknown[]): string {
    const pairs = this.#columns.map((name, index) => [name, toPlain(values[index])] as const);
    return `${plainJson(Object.fromEntries(pairs))}\n`;
  }

  end(): string {
    return '';
  }
}

/** Comma-separated values (RFC 4180), but for the line feed alone at the end of each line. */
export class CsvRows implements RowWriter {
  readonly #columns: readonly string[];

  constructor(columns: readonly string[]) {
    this.#columns = columns;
  }

  begin(): string {
    return this.row(this.#columns);
  }

  row(values: readonly unknown[]): string {
    return `${values.map(quote).join(',')}\n`;
  }

  end(): string {
    return '';
  }
}

function quote(value: unknown): string {
  const text = String(toPlain(value) ?? '');
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Rows that settle the widths of the columns; later ones must make do with them. */
const MEASURED_ROWS = 500;
const CELL_CHARACTERS = 64;

/** Columns for people. */
export class TableRows implements RowWriter {
  readonly #titles: readonly string[];
  readonly #waiting: Cell[][] = [];
  #columns: readonly Column[] | null = null;
  #count = 0;

  constructor(titles: readonly string[]) {
    this.#titles = titles;
  }

  begin(): string {
    return '';
  }

  row(values: readonly unknown[]): string {
    this.#count++;
    const cells = values.map((value) => cutCell(toPlain(value)));
    if (this.#columns !== null) return formatRow(this.#columns, cells);
    this.#waiting.push(cells);
    return this.#waiting.length < MEASURED_ROWS ? '' : this.#flush();
  }

  end(): string {
    const noun = this.#count === 1 ? 'row' : 'rows';
    return `${this.#columns === null ? this.#flush() : ''}(${this.#count} ${noun})\n`;
  }

  #flush(): string {
    const columns = measure(this.#titles, this.#waiting);
    this.#columns = columns;
    const rules = columns.map(({ width }) => '-'.repeat(width));
    const rows = [this.#titles, rules, ...this.#waiting.splice(0)];
    return rows.map((row) => formatRow(columns, row)).join('');
  }
}

function cutCell(value: Cell): Cell {
  if (typeof value !== 'string' || value.length <= CELL_CHARACTERS) return value;
  return `${value.slice(0, CELL_CHARACTERS - 3)}...`;
}
