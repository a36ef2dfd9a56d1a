import type { PushContent } from '../api/agent-client.ts';
import { CliError, EXIT } from './exit-code.ts';

/** Longest first line, and longest text that is not NDJSON: the agent refuses far shorter ones. */
const TEXT_BYTES_MAX = 256 * 1024 * 1024;
const NEW_LINE = 0x0a;
const BRACKET = 0x5b;

/**
 * Finds out what is to be pushed: text that begins with `[` is a JSON array; else, when the first
 * line is a whole JSON value, NDJSON; else one JSON object over several lines.
 */
export async function readPushBody(input: AsyncIterable<Uint8Array>): Promise<PushContent> {
  const chunks = input[Symbol.asyncIterator]();
  const head: Uint8Array[] = [];
  let length = 0;
  let isEnded = false;
  const more = async (): Promise<void> => {
    const { done, value } = await chunks.next();
    isEnded = done === true;
    if (isEnded) return;
    head.push(value);
    length += value.length;
    if (length > TEXT_BYTES_MAX) throw tooLong();
  };
  while (!isEnded && !hasFirstLine(head)) await more();
  const start = Buffer.concat(head);
  if (isLines(start)) {
    const rest = { [Symbol.asyncIterator]: () => chunks };
    return { type: 'application/x-ndjson', content: joined(start, rest) };
  }
  while (!isEnded) await more();
  return { type: 'application/json', content: Buffer.concat(head).toString('utf8') };
}

/** Is there a line feed behind something? Empty lines before it do not count. */
function hasFirstLine(head: readonly Uint8Array[]): boolean {
  const last = head.at(-1);
  if (last === undefined || last.indexOf(NEW_LINE) < 0) return false;
  return Buffer.concat(head).toString('latin1').trimStart().includes('\n');
}

function isLines(start: Buffer): boolean {
  const text = start.toString('utf8').trimStart();
  if (text === '') return true;
  if (text.charCodeAt(0) === BRACKET) return false;
  const [line = ''] = text.split('\n', 1);
  try {
    JSON.parse(line);
    return true;
  } catch {
    return false; // One value over several lines, or no JSON at all: the agent says which.
  }
}

async function* joined(
  start: Uint8Array,
  rest: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  if (start.length > 0) yield start;
  yield* rest;
}

function tooLong(): CliError {
  const message =
    `That is more than ${TEXT_BYTES_MAX} bytes in one JSON text. Push it as NDJSON: a JSON ` +
    'object a line, for instance with jq -c .[]';
  return new CliError(EXIT.refused, 'body-too-long', message);
}
