import type { BehaviorFile, SagaFace } from '../participant/saga-face.ts';
import { parseJson } from './body.ts';
import { ProblemError } from './problem.ts';
import type { Call, Route } from './router.ts';

interface RouteMakers {
  readonly get: (path: string, ask: (call: Call) => unknown) => Route;
  readonly post: (path: string, act: (call: Call) => Promise<unknown>) => Route;
  readonly text: (call: Call) => Promise<string>;
}

/** What may be asked of Behaviors and Sagas. */
export function sagaRoutes(sagas: SagaFace, { get, post, text }: RouteMakers): Route[] {
  return [
    get('/v1/behaviors', () => sagas.behaviors()),
    post('/v1/behaviors', async (call) => sagas.addBehavior(readBehavior(await text(call)))),
    get('/v1/sagas', () => sagas.list()),
    post('/v1/sagas', async (call) => {
      const { saga, owners } = readObject(await text(call));
      return sagas.deploy(saga, readOwners(owners));
    }),
    get('/v1/invocations/{id}', ({ parts }) => sagas.trace(parts['id']!)),
    post('/v1/invocations/{id}/replay', ({ parts }) => sagas.replay(parts['id']!)),
  ];
}

function readBehavior(text: string): BehaviorFile {
  const { kind, code, fileName, declared } = readObject(text);
  const isText = (value: unknown) => typeof value === 'string';
  if (isText(kind) && isText(code) && isText(fileName)) {
    return { kind: String(kind), code: String(code), fileName: String(fileName), declared };
  }
  throw new ProblemError('body-malformed', 'kind, code and fileName must be texts.');
}

function readOwners(owners: unknown): readonly string[] {
  if (owners === undefined) return [];
  if (Array.isArray(owners) && owners.every((each) => typeof each === 'string')) return owners;
  throw new ProblemError('body-malformed', 'owners must be a list of texts.', { where: 'owners' });
}

function readObject(text: string): Readonly<Record<string, unknown>> {
  const value = parseJson(text);
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
