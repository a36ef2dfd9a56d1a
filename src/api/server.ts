import { chmodSync, lstatSync, mkdirSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { dirname } from 'node:path';
import { isMainThread } from 'node:worker_threads';
import type { ParticipantFace } from '../participant/face.ts';
import type { Logger } from '../participant/log.ts';
import type { ApiLimits } from './limits.ts';
import { makeProblem, problemOf, sendProblem } from './problem.ts';
import { matchRoute, type Route } from './router.ts';
import { routesOf } from './routes.ts';

export interface ApiOptions {
  readonly face: ParticipantFace;
  readonly log: Logger;
  readonly config: ApiLimits;
  /** Path of the socket. What lies there from an agent before is replaced. */
  readonly socket: string;
}

/** The socket of a running agent. */
export interface Api {
  readonly socket: string;
  /** Ends streams, answers what is asked, takes no more. */
  close(): Promise<void>;
}

/** The agent cannot be asked anything on this path. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly code = 'API_SOCKET';
}

/**
 * Serves a Participant on a unix socket that its owner alone can open. Whoever calls this holds the
 * World's lease, so no living agent is behind what lies at that path.
 *
 * @throws ApiError
 */
export async function startApi(options: ApiOptions): Promise<Api> {
  const closing = new AbortController();
  const routes = routesOf(options.face, options.config);
  const server = createServer(
    {
      maxHeaderSize: options.config.apiHeaderBytesMax,
      headersTimeout: options.config.apiRequestTimeoutMs,
      // Bodies may be streams without end; `readText` has its own time for those that are not.
      requestTimeout: 0,
    },
    (request, response) => void answer(options, routes, closing.signal, { request, response }),
  );
  server.maxConnections = options.config.apiConnectionsMax;
  await listen(server, options.socket);
  // One connection that could not be accepted is the loss of whoever asked: let it ask again.
  server.on('error', (cause) => options.log.warn('api-connection-lost', { error: cause }));
  return {
    socket: options.socket,
    close: async () => {
      closing.abort();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeIdleConnections();
        // What has not ended by itself within a turn of the loop is a stream that nobody reads.
        setTimeout(() => server.closeAllConnections(), 100).unref();
      });
      rmSync(options.socket, { force: true });
    },
  };
}

async function listen(server: Server, socket: string): Promise<void> {
  clearPath(socket);
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => {
      reject(new ApiError(`The socket ${socket} cannot be made: ${cause.message}`, { cause }));
    });
    // The mode must hold from the first moment on, so it cannot be set afterwards only. A worker
    // thread may not change it for the whole process.
    const mask = isMainThread ? process.umask(0o177) : null;
    server.listen(socket, resolve);
    if (mask !== null) process.umask(mask);
  });
  chmodSync(socket, 0o600);
}

/** Takes away what a killed agent left, where nobody else could put another in its place. */
function clearPath(socket: string): void {
  const folder = dirname(socket);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const { uid, mode } = lstatSync(folder);
    const self = process.getuid?.() ?? uid;
    if ((self !== 0 && uid !== self) || (mode & 0o022) !== 0) {
      throw new ApiError(
        `Others may write in the folder ${folder} of the socket. Run: chmod go-w '${folder}' as ` +
          'its owner, or name another path with api_socket.',
      );
    }
    const found = lstatSync(socket, { throwIfNoEntry: false });
    if (found === undefined) return;
    if (!found.isSocket()) {
      throw new ApiError(`${socket} is no socket and stays. Name another path with api_socket.`);
    }
    rmSync(socket);
  } catch (cause) {
    if (cause instanceof ApiError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ApiError(`The socket ${socket} cannot be made: ${reason}`, { cause });
  }
}

async function answer(
  options: ApiOptions,
  routes: readonly Route[],
  closing: AbortSignal,
  exchange: { readonly request: IncomingMessage; readonly response: ServerResponse },
): Promise<void> {
  const { request, response } = exchange;
  const ended = new AbortController();
  let isGone = false;
  // Not `AbortSignal.any`: Node 20 would keep a note of each request until the agent closes.
  const end = () => ended.abort();
  closing.addEventListener('abort', end);
  if (closing.aborted) end();
  response.once('close', () => {
    isGone = true;
    closing.removeEventListener('abort', end);
    end();
  });
  const { signal } = ended;
  try {
    const match = matchRoute(routes, request.method ?? '', request.url ?? '');
    await match.handle({ ...exchange, parts: match.parts, query: match.query, signal });
  } catch (cause) {
    if (isGone || request.errored !== null) return;
    const problem = problemOf(cause);
    if (problem !== null) sendProblem(response, problem);
    else if (closing.aborted) {
      sendProblem(response, makeProblem('closed', 'The agent is being stopped.'));
    } else {
      options.log.error('request-failed', { path: request.url, error: cause });
      sendProblem(response, makeProblem('failed', 'The agent could not answer; its log says why.'));
    }
  }
}
