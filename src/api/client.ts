import { once } from 'node:events';
import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import { readLines } from './body.ts';

const LINE_BYTES_MAX = 256 * 1024 * 1024;

/** Nobody answers at the socket. */
export class UnreachableError extends Error {
  override readonly name = 'UnreachableError';
  readonly code = 'agent-unreachable';
}

/** The agent's answer is no success. */
export class AnswerError extends Error {
  override readonly name = 'AnswerError';
  /** As in its problem: see `ProblemCode`. */
  readonly code: string;
  readonly where: string | null;
  readonly taken: number | null;

  constructor(code: string, message: string, where: string | null, taken: number | null) {
    super(message);
    this.code = code;
    this.where = where;
    this.taken = taken;
  }
}

/** The agent did not answer in time. */
export class LateError extends Error {
  override readonly name = 'LateError';
  readonly code = 'timeout';
}

export interface Ask {
  readonly method: 'GET' | 'POST';
  /** With its query. */
  readonly path: string;
  /** Media type and content, which may have no end. */
  readonly body?: { readonly type: string; readonly content: string | AsyncIterable<Uint8Array> };
  /** For the whole answer; null waits for as long as it takes. */
  readonly timeoutMs?: number | null;
  readonly signal?: AbortSignal;
}

const TIMEOUT_MS = 30_000;

/** Asks a running agent over its socket. */
export class ApiClient {
  readonly #socket: string;
  readonly #whenUnreachable: string;

  /** @param whenUnreachable What the user may do when nobody answers. */
  constructor(socket: string, whenUnreachable: string) {
    this.#socket = socket;
    this.#whenUnreachable = whenUnreachable;
  }

  /**
   * @returns the answer's JSON.
   * @throws UnreachableError, AnswerError, LateError
   */
  async ask(ask: Ask): Promise<unknown> {
    const timeoutMs = ask.timeoutMs === undefined ? TIMEOUT_MS : ask.timeoutMs;
    const signals = [
      ...(ask.signal === undefined ? [] : [ask.signal]),
      ...(timeoutMs === null ? [] : [AbortSignal.timeout(timeoutMs)]),
    ];
    const signal = AbortSignal.any(signals);
    try {
      const answer = await this.#send({ ...ask, signal });
      return refuseProblem(answer, await readAll(answer));
    } catch (cause) {
      if (!signal.aborted) throw cause;
      if (ask.signal?.aborted) throw ask.signal.reason;
      throw new LateError(`The agent did not answer within ${timeoutMs} ms.`, { cause });
    }
  }

  /**
   * The values of an NDJSON answer, at the pace of whoever takes them.
   * @throws UnreachableError, AnswerError
   */
  async *stream(ask: Ask): AsyncGenerator<unknown> {
    const answer = await this.#send(ask);
    try {
      if (answer.statusCode !== 200) refuseProblem(answer, await readAll(answer));
      for await (const lines of readLines(answer, LINE_BYTES_MAX)) {
        for (const { value } of lines) yield value;
      }
    } catch (cause) {
      if (ask.signal?.aborted) return;
      if (!isCut(cause)) throw cause;
      throw new UnreachableError('The agent ended before the stream did.', { cause });
    } finally {
      answer.destroy();
    }
  }

  async #send(ask: Ask): Promise<IncomingMessage> {
    const request = httpRequest({
      socketPath: this.#socket,
      method: ask.method,
      path: ask.path,
      agent: false,
      ...(ask.signal === undefined ? {} : { signal: ask.signal }),
      ...(ask.body === undefined ? {} : { headers: { 'content-type': ask.body.type } }),
    });
    const answered = once(request, 'response') as Promise<[IncomingMessage]>;
    const sent = sendBody(request, ask.body?.content ?? '');
    try {
      // An answer may come before all is sent: then it is a refusal, and the rest stays unsent.
      await Promise.race([answered, sent.then(() => answered)]);
      const [answer] = await answered;
      return answer;
    } catch (cause) {
      request.destroy();
      if (ask.signal?.aborted) throw ask.signal.reason;
      if (!isCut(cause)) throw cause;
      const message = `No agent answers at ${this.#socket}. ${this.#whenUnreachable}`;
      throw new UnreachableError(message, { cause });
    }
  }
}

const CUT = ['ENOENT', 'ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'EACCES', 'ENOTSOCK', 'ENOTDIR'];

/** Did the socket fail, or end before its time? */
function isCut(cause: unknown): boolean {
  return cause instanceof Error && 'code' in cause && CUT.includes(String(cause.code));
}

async function sendBody(
  request: ClientRequest,
  content: string | AsyncIterable<Uint8Array>,
): Promise<void> {
  if (typeof content === 'string') {
    request.end(content);
    return;
  }
  const ended = new AbortController();
  for (const event of ['response', 'error', 'close']) request.once(event, () => ended.abort());
  for await (const chunk of content) {
    if (ended.signal.aborted) break;
    if (request.write(chunk)) continue;
    try {
      await once(request, 'drain', { signal: ended.signal });
    } catch {
      break; // It was answered or cut off meanwhile: `#send` sees which.
    }
  }
  if (!ended.signal.aborted) request.end();
}

async function readAll(answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of answer as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

/** @returns the answer's JSON. @throws AnswerError for a problem. */
function refuseProblem(answer: IncomingMessage, text: string): unknown {
  const value = parse(text);
  if (answer.statusCode === 200) return value;
  const problem = typeof value === 'object' && value !== null ? value : {};
  const read = (name: string): unknown => new Map(Object.entries(problem)).get(name);
  const code = read('code');
  const detail = read('detail');
  const where = read('where');
  const taken = read('taken');
  throw new AnswerError(
    typeof code === 'string' ? code : 'failed',
    typeof detail === 'string' ? detail : `The agent answered ${answer.statusCode}.`,
    typeof where === 'string' ? where : null,
    typeof taken === 'number' ? taken : null,
  );
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null; // What is no JSON is no answer of an agent: `refuseProblem` says so.
  }
}
