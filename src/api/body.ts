import { isUtf8 } from 'node:buffer';
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
  const parser = new LineParser(lineBytesMax);
  for await (const chunk of chunks) yield* parser.push(chunk);
  yield* parser.end();
}

class LineParser {
  readonly #lineBytesMax: number;
  /** Of the line that is not whole yet. */
  #rest: Uint8Array[] = [];
  #restBytes = 0;
  #lines = 0;

  constructor(lineBytesMax: number) {
    this.#lineBytesMax = lineBytesMax;
  }

  *push(chunk: Uint8Array): Generator<JsonLine[]> {
    const end = chunk.lastIndexOf(NEW_LINE);
    if (end >= 0) {
      const whole = Buffer.concat([...this.#rest, chunk.subarray(0, end)]);
      this.#rest = [];
      this.#restBytes = 0;
      yield* this.#parse(whole);
    }
    const rest = chunk.subarray(end + 1);
    if (rest.length > 0) this.#rest.push(rest);
    this.#restBytes += rest.length;
    this.#refuseTooLong(this.#restBytes, this.#lines + 1);
  }

  *end(): Generator<JsonLine[]> {
    if (this.#restBytes > 0) yield* this.#parse(Buffer.concat(this.#rest));
  }

  *#parse(bytes: Buffer): Generator<JsonLine[]> {
    const found: JsonLine[] = [];
    try {
      // Together if all of it is text: a decoder costs more than a line.
      if (isUtf8(bytes)) this.#parseText(bytes.toString('utf8'), found);
      else for (const line of cutLines(bytes)) this.#parseText(this.#decode(line), found);
    } catch (cause) {
      if (found.length > 0) yield found;
      throw cause;
    }
    if (found.length > 0) yield found;
  }

  #decode(line: Uint8Array): string {
    return decodeText(line, `Line ${this.#lines + 1}`);
  }

  #parseText(text: string, into: JsonLine[]): void {
    for (const line of text.split('\n')) {
      this.#lines++;
      this.#refuseTooLong(Buffer.byteLength(line), this.#lines);
      if (line.trim() === '') continue;
      into.push({ line: this.#lines, value: parseJson(line, `line ${this.#lines}`) });
    }
  }

  #refuseTooLong(bytes: number, line: number): void {
    if (bytes > this.#lineBytesMax) throw tooLong(this.#lineBytesMax, `Line ${line}`);
  }
}

function* cutLines(bytes: Uint8Array): Generator<Uint8Array> {
  let start = 0;
  for (let end = bytes.indexOf(NEW_LINE); end >= 0; end = bytes.indexOf(NEW_LINE, start)) {
    yield bytes.subarray(start, end);
    start = end + 1;
  }
  yield bytes.subarray(start);
}
