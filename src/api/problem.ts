import type { ServerResponse } from 'node:http';
import { STATUS_CODES } from 'node:http';
import { RequestError, type RequestErrorCode } from '../participant/face.ts';

/** What a request can meet before the Participant is asked. */
export type ProblemCode =
  | RequestErrorCode
  | 'not-found'
  | 'method-not-allowed'
  | 'body-too-long'
  | 'body-malformed'
  | 'body-missing'
  | 'query-malformed'
  | 'media-type'
  | 'timeout'
  | 'failed';

/** An answer that is no success, in the form of RFC 9457; `detail` says how to mend it. */
export interface Problem {
  readonly type: 'about:blank';
  readonly title: string;
  readonly status: number;
  readonly code: ProblemCode;
  readonly detail: string;
  /** The field, argument or line at fault. */
  readonly where?: string;
  /** Of a push in a stream: Entries that were taken before. */
  readonly taken?: number;
}

const STATUSES = {
  'entry-invalid': 422,
  'entry-too-long': 413,
  'buffer-full': 503,
  'pact-invalid': 422,
  'pact-unknown': 404,
  'pact-conflict': 409,
  'group-unknown': 404,
  'entry-unknown': 404,
  'behavior-invalid': 422,
  'behavior-unknown': 404,
  'saga-invalid': 422,
  'saga-unknown': 404,
  'group-ambiguous': 409,
  'group-not-owned': 403,
  'group-unchanged': 409,
  'group-handed-over': 409,
  'group-split': 409,
  'fork-not-accepted': 422,
  'rules-unknown': 422,
  'owner-unknown': 404,
  'owner-ambiguous': 409,
  'owners-too-many': 422,
  'url-invalid': 422,
  halted: 503,
  closed: 503,
  'not-found': 404,
  'method-not-allowed': 405,
  'body-too-long': 413,
  'body-malformed': 400,
  'body-missing': 400,
  'query-malformed': 400,
  'media-type': 415,
  timeout: 408,
  failed: 500,
} as const satisfies Record<ProblemCode, number>;

/** A request that cannot be met as it was made. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';
  readonly code: ProblemCode;
  readonly where: string | null;
  /** Of a push in a stream: Entries that were taken before. */
  readonly taken: number | null;

  constructor(
    code: ProblemCode,
    message: string,
    options: { where?: string; taken?: number; cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
    this.code = code;
    this.where = options.where ?? null;
    this.taken = options.taken ?? null;
  }
}

/** Null for what is no request's fault: our own bug, or the disk's. */
export function problemOf(error: unknown): Problem | null {
  if (!(error instanceof RequestError) && !(error instanceof ProblemError)) return null;
  const { code, message, where } = error;
  const taken = error instanceof ProblemError ? error.taken : null;
  return makeProblem(code, message, {
    ...(where === null ? {} : { where }),
    ...(taken === null ? {} : { taken }),
  });
}

export function makeProblem(
  code: ProblemCode,
  detail: string,
  more: { where?: string; taken?: number } = {},
): Problem {
  const status = STATUSES[code];
  return { type: 'about:blank', title: STATUS_CODES[status] ?? '', status, code, detail, ...more };
}

/** What is left of a refused body is let go by for so long, so that its sender reads the answer. */
const LINGER_MS = 2000;

/** Answers with a problem. */
export function sendProblem(response: ServerResponse, problem: Problem): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const text = `${JSON.stringify(problem)}\n`;
  response.statusCode = problem.status;
  response.setHeader('content-type', 'application/problem+json');
  response.setHeader('content-length', Buffer.byteLength(text));
  const request = response.req;
  // Whoever still writes when the connection is shut hears of that, and not of the problem.
  if (!request.complete) response.setHeader('connection', 'keep-alive');
  response.end(text);
  if (request.complete) return;
  request.resume();
  const timer = setTimeout(() => request.destroy(), LINGER_MS);
  request.once('close', () => clearTimeout(timer));
}
