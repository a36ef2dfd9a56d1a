import type { ServerResponse } from 'node:http';
import { type GroupChange, type ParticipantFace, RequestError } from '../participant/face.ts';
import { parseJson, readText } from './body.ts';
import { type EntriesLimits, pullEntries, pushEntries } from './entries.ts';
import type { ApiLimits } from './limits.ts';
import { ProblemError } from './problem.ts';
import { type Call, type Route, readCount } from './router.ts';
import { sagaRoutes } from './saga-routes.ts';

const DAG_GENERATIONS = { least: 1, otherwise: 20 };
const DAG_GENERATIONS_MAX = 10_000;
const LOG_TAIL = { least: 1, otherwise: 20 };
const LOG_TAIL_MAX = 1000;
const DRAIN_MS_MAX = 600_000;

function send(response: ServerResponse, value: unknown): void {
  const text = `${JSON.stringify(value)}\n`;
  response.setHeader('content-type', 'application/json');
  response.setHeader('content-length', Buffer.byteLength(text));
  response.end(text);
}

type Get = (path: string, ask: (call: Call) => unknown) => Route;

function logRoutes({ logs }: ParticipantFace, get: Get): Route[] {
  return [
    get('/v1/logs', () => logs.list()),
    get('/v1/logs/{group}/{author}', ({ parts, query }) => {
      const limit = Math.min(readCount(query, 'limit', LOG_TAIL), LOG_TAIL_MAX);
      return logs.tail(parts['group']!, parts['author']!, limit);
    }),
    get('/v1/forks', () => logs.forks()),
  ];
}

/** Everything that a Participant may be asked. */
export function routesOf(face: ParticipantFace, config: ApiLimits): Route[] {
  const { apiBodyBytesMax: bytesMax, apiRequestTimeoutMs: timeoutMs } = config;
  const pullMax = config.pullEntriesMax;
  const limits: EntriesLimits = { bodyBytesMax: bytesMax, timeoutMs, pullMax };
  const bodyLimits = { bytesMax, timeoutMs };
  const text = (call: Call) => readText(call.request, bodyLimits);
  const get: Get = (path, ask) => ({
    method: 'GET',
    path,
    handle: (call) => send(call.response, ask(call)),
  });
  const post = (path: string, act: (call: Call) => Promise<unknown>): Route => ({
    method: 'POST',
    path,
    handle: async (call) => send(call.response, await act(call)),
  });
  const entries = '/v1/pacts/{target}/entries';
  return [
    get('/livez', () => ({ live: true })),
    get('/v1/status', () => face.status()),
    get('/v1/peers', () => face.peers()),
    post('/v1/peers', async (call) => {
      const { url } = readFields(parseJson(await text(call)), { url: 'text' });
      face.addPeer(url);
      return { url };
    }),
    get('/v1/pacts', () => face.pacts()),
    post('/v1/pacts', async (call) => face.addPact(await text(call))),
    get('/v1/groups', () => face.groups()),
    post('/v1/groups', async (call) => {
      const asked = readFields(parseJson(await text(call)), { pact: 'text', owners: 'list' });
      return face.addGroup(asked.pact, asked.owners);
    }),
    post('/v1/groups/{group}/change', async (call) => {
      const asked = readFields(parseJson(await text(call)), CHANGE);
      return face.changeGroup(call.parts['group']!, toChange(asked));
    }),
    post('/v1/groups/{group}/split', async (call) => {
      const asked = readFields(parseJson(await text(call)), { ...CHANGE, acceptFork: 'flag' });
      if (asked.acceptFork) return face.splitGroup(call.parts['group']!, toChange(asked));
      const message = 'A split is a fork that nothing mends: say acceptFork: true to have it.';
      throw new RequestError('fork-not-accepted', message, { where: 'acceptFork' });
    }),
    ...logRoutes(face, get),
    ...sagaRoutes(face.sagas, { get, post, text }),
    get('/v1/dag', ({ query }) =>
      face.dag(Math.min(readCount(query, 'limit', DAG_GENERATIONS), DAG_GENERATIONS_MAX)),
    ),
    post('/v1/drain', async (call) => {
      const timeoutMs = readCount(call.query, 'timeoutMs', { least: 0, otherwise: 10_000 });
      return { drained: await face.drain(Math.min(timeoutMs, DRAIN_MS_MAX)) };
    }),
    get('/v1/pacts/{target}/trace', ({ parts, query }) =>
      face.trace(parts['target']!, readCount(query, 'sequence', { least: 1, otherwise: 1 })),
    ),
    post(entries, (call) => pushEntries(face, limits, call)),
    { method: 'GET', path: entries, handle: (call) => pullEntries(face, limits, call) },
  ];
}

interface FieldValues {
  readonly text: string;
  readonly list: readonly string[];
  readonly textOrNone: string | undefined;
  readonly listOrNone: readonly string[] | undefined;
  readonly flag: boolean;
}

const CHANGE = {
  owners: 'listOrNone',
  quorum: 'textOrNone',
  availability: 'textOrNone',
} as const;

function toChange(asked: {
  readonly owners: readonly string[] | undefined;
  readonly quorum: string | undefined;
  readonly availability: string | undefined;
}): GroupChange {
  const { owners, quorum, availability } = asked;
  return {
    ...(owners === undefined ? {} : { owners }),
    ...(quorum === undefined ? {} : { quorum }),
    ...(availability === undefined ? {} : { availability }),
  };
}

const isText = (value: unknown) => typeof value === 'string';
const isList = (value: unknown) => Array.isArray(value) && value.every(isText);

const FIELD_KINDS = {
  text: { words: 'a text', holds: isText },
  list: { words: 'a list of texts', holds: isList },
  textOrNone: {
    words: 'a text, or left out',
    holds: (value: unknown) => value === undefined || isText(value),
  },
  listOrNone: {
    words: 'a list of texts, or left out',
    holds: (value: unknown) => value === undefined || isList(value),
  },
  flag: { words: 'true or false', holds: (value: unknown) => typeof value === 'boolean' },
} as const satisfies Record<
  keyof FieldValues,
  { readonly words: string; readonly holds: (value: unknown) => boolean }
>;

/** Checks a body against the fields that it must have. @throws ProblemError body-malformed */
function readFields<const Shape extends Record<string, keyof FieldValues>>(
  value: unknown,
  shape: Shape,
): { readonly [Name in keyof Shape]: FieldValues[Shape[Name]] } {
  const given = typeof value === 'object' && value !== null ? value : {};
  const fields = new Map<string, unknown>(Object.entries(given));
  for (const [name, kind] of Object.entries(shape)) {
    const field = fields.get(name);
    const { words, holds } = FIELD_KINDS[kind];
    if (holds(field)) continue;
    throw new ProblemError('body-malformed', `${name} must be ${words}.`, { where: name });
  }
  return Object.fromEntries(fields) as { [Name in keyof Shape]: FieldValues[Shape[Name]] };
}
