import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { createContext, Script } from 'node:vm';
import { compileBehavior } from '../behavior/compile-behavior.ts';
import { RequestError } from './face.ts';
import type { BehaviorFile } from './saga-face.ts';
import { invalid } from './saga-file.ts';

type Fields = Readonly<Record<string, unknown>>;

export interface SagaModule {
  /** With Behaviors by name. */
  readonly saga: unknown;
  /** Those that its file names by a path, compiled. */
  readonly behaviors: readonly BehaviorFile[];
}

/**
 * Reads a Saga file. A `.ts` or `.js` file is bundled and run here, so it is to be as trusted as
 * any program; `.json` is only read. A Behavior that begins with `./` or `../` is a file beside it.
 *
 * @throws RequestError, CompileError
 */
export async function readSagaModule(given: string): Promise<SagaModule> {
  const file = resolve(given);
  const value = file.endsWith('.json') ? readJson(file) : await runModule(file);
  if (typeof value !== 'object' || value === null) throw invalid(`${file} makes no Saga`, 'stages');
  const { stages } = value as Fields;
  if (!Array.isArray(stages)) throw invalid(`${file}: a Saga has stages`, 'stages');
  const files = new Map<string, BehaviorFile>();
  const named: unknown[] = [];
  for (const stage of stages as unknown[]) {
    const fields = (typeof stage === 'object' && stage !== null ? stage : {}) as Fields;
    const { behavior } = fields;
    if (typeof behavior !== 'string' || !/^\.\.?\//.test(behavior)) {
      named.push(stage);
      continue;
    }
    const path = resolve(dirname(file), behavior);
    const known = files.get(path) ?? (await readBehaviorFile(path));
    files.set(path, known);
    named.push({ ...fields, behavior: nameOf(known) });
  }
  return { saga: { ...value, stages: named }, behaviors: [...files.values()] };
}

/** Bundles or compiles a Behavior. @throws CompileError */
export async function readBehaviorFile(path: string): Promise<BehaviorFile> {
  const { kind, code, fileName, declared } = await compileBehavior(path);
  return { kind, code: Buffer.from(code).toString('base64'), fileName, declared };
}

/** A Behavior that a Saga names by its file bears the name of that file. */
function nameOf({ fileName }: BehaviorFile): string {
  return fileName.toLowerCase().replace(/[^a-z0-9_]/g, '_');
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new RequestError('saga-invalid', `${file} cannot be read: ${reason}`, { cause });
  }
}

/** One module as a whole, that imports nothing which stands elsewhere. */
async function runModule(file: string): Promise<unknown> {
  const { build } = await import('esbuild');
  const stdin = 'export const defineSaga = (saga) => saga;';
  const made = await build({
    ...{ entryPoints: [file], bundle: true, write: false, format: 'cjs', platform: 'node' },
    logLevel: 'silent',
    plugins: [
      {
        name: 'vertebra',
        setup: (step) => {
          step.onResolve({ filter: /^vertebra$/ }, () => {
            return { path: 'vertebra', namespace: 'vertebra' };
          });
          step.onLoad({ filter: /.*/, namespace: 'vertebra' }, () => ({ contents: stdin }));
        },
      },
    ],
  });
  const module = { exports: {} as Fields };
  const room = createContext({ module, exports: module.exports });
  new Script(made.outputFiles[0]!.text, { filename: file }).runInContext(room);
  // By way of JSON: what comes of it is of this room, and no more than JSON.
  return JSON.parse(JSON.stringify(module.exports['default'] ?? null));
}
