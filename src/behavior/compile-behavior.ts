import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BehaviorKind } from '../model/behavior.ts';
import type { JsonRecord } from '../ports/sandbox.ts';
import { CompileError } from './compile-error.ts';

export interface CompiledBehavior {
  readonly kind: BehaviorKind;
  readonly code: Uint8Array;
  /** The file's name without what says of which kind it is. */
  readonly fileName: string;
  /**
   * What `NAME.json` beside the file declares; null where there is none. JavaScript declares in its
   * code: see `LoadedBehavior.declared`.
   */
  readonly declared: JsonRecord | null;
}

/** The SDK's sources; the same from `src/behavior` and from `build/behavior`. */
const SDK = fileURLToPath(new URL('../../assembly/sdk/', import.meta.url));
const AUTHOR_API = 'export const defineBehavior = (definition) => definition;';
const ASC_FLAGS = ['-O2', '--runtime', 'incremental', '--noColors'];

/**
 * Makes of a file what a Behavior carries: `.wasm` as it is; `.as.ts` by the AssemblyScript
 * compiler; other `.ts`, and `.js`, as one module by esbuild, types taken away.
 *
 * @param isAssembly A `.ts` file is AssemblyScript whatever its name.
 * @throws CompileError
 */
export async function compileBehavior(file: string, isAssembly = false): Promise<CompiledBehavior> {
  const fileName = basename(file).replace(/(\.as)?\.(ts|mts|js|mjs|wasm)$/, '');
  const declared = readDeclaration(join(dirname(file), `${fileName}.json`));
  const made = { fileName, declared };
  if (file.endsWith('.wasm')) return { ...made, kind: 'webassembly', code: readBytes(file) };
  if (!/\.(ts|mts|js|mjs)$/.test(file)) {
    const message = `${file}: a Behavior is a .ts, .js, .as.ts or .wasm file`;
    throw new CompileError('BEHAVIOR_UNREADABLE', message);
  }
  if (isAssembly || file.endsWith('.as.ts')) {
    return { ...made, kind: 'webassembly', code: await assemble(file) };
  }
  return { ...made, kind: 'javascript', code: await bundle(file) };
}

function readBytes(file: string): Uint8Array {
  try {
    return new Uint8Array(readFileSync(file));
  } catch (cause) {
    const { message } = cause as Error;
    throw new CompileError('BEHAVIOR_UNREADABLE', `cannot read ${file}: ${message}`, { cause });
  }
}

function readDeclaration(file: string): JsonRecord | null {
  if (!existsSync(file)) return null;
  try {
    const value: unknown = JSON.parse(Buffer.from(readBytes(file)).toString('utf8'));
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      return value as JsonRecord;
    }
    throw new SyntaxError('it is no object');
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw new CompileError('BEHAVIOR_UNREADABLE', `${file}: ${cause.message}`, { cause });
  }
}

/** @throws CompileError that says how to get the tool. */
async function toolOf<Tool>(name: string, load: () => Promise<Tool>): Promise<Tool> {
  try {
    return await load();
  } catch (cause) {
    const advice = `npm install ${name}, or add what was compiled elsewhere`;
    const message = `this needs the package ${name}: ${advice}`;
    throw new CompileError('BEHAVIOR_TOOL_MISSING', message, { cause });
  }
}

async function bundle(file: string): Promise<Uint8Array> {
  readBytes(file);
  const { build } = await toolOf('esbuild', () => import('esbuild'));
  const author = {
    name: 'vertebra',
    setup(on: import('esbuild').PluginBuild) {
      on.onResolve({ filter: /^vertebra\/behavior$/ }, ({ path }) => ({ path, namespace: 'api' }));
      on.onLoad({ filter: /.*/, namespace: 'api' }, () => ({ contents: AUTHOR_API }));
    },
  };
  try {
    const { outputFiles } = await build({
      entryPoints: [basename(file)],
      absWorkingDir: resolve(dirname(file)),
      bundle: true,
      write: false,
      format: 'esm',
      platform: 'neutral',
      target: 'es2023',
      charset: 'utf8',
      legalComments: 'none',
      logLevel: 'silent',
      plugins: [author],
    });
    return outputFiles[0]!.contents;
  } catch (cause) {
    const text = (cause as Error).message;
    throw new CompileError('BEHAVIOR_NOT_COMPILED', `${file} does not compile:\n${text}`, {
      cause,
    });
  }
}

async function assemble(file: string): Promise<Uint8Array> {
  readBytes(file);
  const { main } = await toolOf('assemblyscript', () => import('assemblyscript/asc'));
  const folder = resolve(dirname(file));
  let binary: Uint8Array | null = null;
  const args = [basename(file), '--outFile', 'behavior.wasm', '--baseDir', folder, ...ASC_FLAGS];
  const { error, stderr } = await main(args, {
    readFile: (name) => readSource(folder, name),
    writeFile: (_name, content) => {
      if (content instanceof Uint8Array) binary = content;
    },
    listFiles: () => [],
  });
  if (error === null && binary !== null) return new Uint8Array(binary);
  const text = stderr.toString();
  throw new CompileError('BEHAVIOR_NOT_COMPILED', `${file} does not compile:\n${text}`);
}

/** The author's own files, and `vertebra/behavior` from the SDK. @returns null for no such file. */
function readSource(folder: string, name: string): string | null {
  const ours = /(?:^|\/)vertebra\/([a-z]+)\.ts$/.exec(name)?.[1];
  const file = ours === undefined ? join(folder, name) : join(SDK, `${sdkFileOf(ours)}.ts`);
  return existsSync(file) ? readFileSync(file, 'utf8') : null;
}

function sdkFileOf(name: string): string {
  return name === 'behavior' ? 'index' : name;
}
