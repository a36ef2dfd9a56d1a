import type { IncomingMessage } from 'node:http';
import { ProblemError } from './problem.ts';

const NEW_LINE = 0x0a;

function tooLong(bytesMax: number, what: string): ProblemError {
  const mend = 'Send less at once, or raise api_body_bytes_max.';
  return new ProblemError('body-too-long', `${what} is longer than ${bytesMax} bytes. ${mend}`);
}

/**
 * Reads a request's body whole. A body that is refused is not read to its end.
 *
 * @param limits Longest body, and how long it may take to come.
 * @throws ProblemError body-too-long, timeout, body-malformed
 */
export async function readText(
  request: IncomingMessage,
  limits: { readonly bytesMax: number; readonly timeoutMs: number },
): Promise<string> {
  const { bytesMax, timeoutMs } = limits;
  if (Number(request.headers['content-length'] ?? 0) > bytesMax)
    throw tooLong(bytesMax, 'The body');
  const bytes = await new Promise<Uint8Array>((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const late = () =>
      reject(new ProblemError('timeout', `The body was not here after ${timeoutMs} ms.`));
    const timer = setTimeout(late, timeoutMs);
    request.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length > bytesMax) reject(tooLong(bytesMax, 'The body'));
      else chunks.push(chunk);
    });
    request.once('end', () => {
      clearTimeout(timer);
      resolve(Buffer.concat(chunks));
    });
    request.once('close', () => {
      clearTimeout(timer);
      reject(new ProblemError('body-malformed', 'The body ended before its time.'));
    });
  });
  return decodeText(bytes, 'The body');
}

/** The chunks of a body; whoever stops early leaves the request open for an answer. */
export function chunksOf(request: IncomingMessage): AsyncIterable<Uint8Array> {
  return request.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>;
}

function decodeText(bytes: Uint8Array, what: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new ProblemError('body-malformed', `${what} is not UTF-8.`, { cause });
  }
}

/** @throws ProblemError body-malformed, with `where` if given. */
export function parseJson(text: string, where?: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : 'no JSON';
    const at = where === undefined ? 'The body' : where;
    const options = where === undefined ? { cause } : { where, cause };
    throw new ProblemError('body-malformed', `${at} is not JSON: ${reason}.`, options);
  }
}

/** A value on a line of NDJSON. */
export interface JsonLine {
  /** From 1. */
  readonly line: number;
  readonly value: unknown;
}

/**
 * Reads NDJSON as it comes: all whole lines of a chunk at once, so that whoever takes them slowly
 * slows the sender down. Empty lines count and give nothing; lines before a bad one are given.
 *
 * @throws ProblemError body-too-long, for a line; body-malformed with its number
 */
export async function* readLines(
  chunks: AsyncIterable<Uint8Array>,
  lineBytesMax: number,
): AsyncGenerator<JsonLine[]> {
  const cutter = new LineCutter(lineBytesMax);
  for await (const chunk of chunks) {
    cutter.push(chunk);
    const found: JsonLine[] = [];
    try {
      for (let line = cutter.next(); line !== null; line = cutter.next()) parseLine(line, found);
      cutter.checkRest();
    } catch (cause) {
      if (found.length > 0) yield found;
      throw cause;
    }
    if (found.length > 0) yield found;
  }
  const found: JsonLine[] = [];
  parseLine(cutter.end(), found);
  if (found.length > 0) yield found;
}

interface RawLine {
  readonly line: number;
  readonly bytes: Uint8Array;
}

function parseLine({ line, bytes }: RawLine, into: JsonLine[]): void {
  const text = decodeText(bytes, `Line ${line}`).trim();
  if (text !== '') into.push({ line, value: parseJson(text, `line ${line}`) });
}

/** Cuts chunks into lines; what is left of a chunk waits for the next. */
class LineCutter {
  readonly #lineBytesMax: number;
  #rest: Uint8Array[] = [];
  #restBytes = 0;
  #chunk: Uint8Array = new Uint8Array(0);
  #lines = 0;

  constructor(lineBytesMax: number) {
    this.#lineBytesMax = lineBytesMax;
  }

  push(chunk: Uint8Array): void {
    this.#chunk = chunk;
  }

  next(): RawLine | null {
    const end = this.#chunk.indexOf(NEW_LINE);
    this.#keep(this.#chunk.subarray(0, end < 0 ? this.#chunk.length : end));
    this.#chunk = end < 0 ? new Uint8Array(0) : this.#chunk.subarray(end + 1);
    if (end < 0) return null;
    this.checkRest();
    return this.end();
  }

  /** Refuses a line that is too long before it is whole. */
  checkRest(): void {
    if (this.#restBytes <= this.#lineBytesMax) return;
    throw tooLong(this.#lineBytesMax, `Line ${this.#lines + 1}`);
  }

  /** What is there of the line so far. */
  end(): RawLine {
    const bytes = this.#rest.length === 1 ? this.#rest[0]! : Buffer.concat(this.#rest);
    this.#rest = [];
    this.#restBytes = 0;
    this.#lines++;
    return { line: this.#lines, bytes };
  }

  #keep(part: Uint8Array): void {
    if (part.length === 0) return;
    this.#rest.push(part);
    this.#restBytes += part.length;
  }
}
