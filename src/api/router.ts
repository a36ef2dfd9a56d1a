import type { IncomingMessage, ServerResponse } from 'node:http';
import { ProblemError } from './problem.ts';

const TARGET_CHARACTERS_MAX = 2048;

/** One request on its way to an answer. */
export interface Call {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Parts of the path that the route names, decoded. */
  readonly parts: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** Ends when the asker is gone or the agent closes. */
  readonly signal: AbortSignal;
}

export type Handler = (call: Call) => Promise<void> | void;

export interface Route {
  readonly method: 'GET' | 'POST';
  /** For instance `/v1/pacts/{target}/entries`. */
  readonly path: string;
  readonly handle: Handler;
}

export interface Match {
  readonly handle: Handler;
  readonly parts: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
}

/**
 * Finds who answers a request.
 *
 * @param target Path and query as they stand in the request line.
 * @throws ProblemError not-found, method-not-allowed, query-malformed
 */
export function matchRoute(routes: readonly Route[], method: string, target: string): Match {
  if (target.length > TARGET_CHARACTERS_MAX) {
    throw new ProblemError('query-malformed', 'The path and query of the request are too long.');
  }
  const [path = '', query = ''] = splitOnce(target, '?');
  const allowed: string[] = [];
  for (const route of routes) {
    const parts = matchPath(route.path, path);
    if (parts === null) continue;
    if (route.method === method) {
      return { handle: route.handle, parts, query: new URLSearchParams(query) };
    }
    allowed.push(route.method);
  }
  if (allowed.length === 0) {
    throw new ProblemError('not-found', `There is nothing at ${path}.`, { where: path });
  }
  const message = `${path} takes ${allowed.join(', ')}, not ${method}.`;
  throw new ProblemError('method-not-allowed', message, { where: path });
}

function splitOnce(text: string, mark: string): [string, string] {
  const at = text.indexOf(mark);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

function matchPath(pattern: string, path: string): Record<string, string> | null {
  const wanted = pattern.split('/');
  const given = path.split('/');
  if (wanted.length !== given.length) return null;
  const parts: Record<string, string> = {};
  for (const [index, want] of wanted.entries()) {
    const value = given[index]!;
    if (want.startsWith('{')) parts[want.slice(1, -1)] = decodePart(value);
    else if (want !== value) return null;
  }
  return parts;
}

function decodePart(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (cause) {
    const message = `${text} in the path is not properly percent-encoded.`;
    throw new ProblemError('query-malformed', message, { cause });
  }
}

/**
 * Reads a whole number of the query.
 * @throws ProblemError query-malformed
 */
export function readCount(
  query: URLSearchParams,
  name: string,
  range: { readonly least: number; readonly otherwise: number },
): number {
  const text = query.get(name);
  if (text === null) return range.otherwise;
  const value = Number(text);
  if (/^\d{1,16}$/.test(text) && Number.isSafeInteger(value) && value >= range.least) return value;
  const given = JSON.stringify(text);
  const message = `${name} must be a whole number from ${range.least}, not ${given}.`;
  throw new ProblemError('query-malformed', message, { where: name });
}

/** Reads one of some words of the query. @throws ProblemError query-malformed */
export function readChoice<const Choice extends string>(
  query: URLSearchParams,
  name: string,
  choices: readonly [Choice, ...Choice[]],
): Choice {
  const text = query.get(name);
  if (text === null) return choices[0];
  const choice = choices.find((each) => each === text);
  if (choice !== undefined) return choice;
  const message = `${name} must be one of ${choices.join(', ')}, not ${JSON.stringify(text)}.`;
  throw new ProblemError('query-malformed', message, { where: name });
}
