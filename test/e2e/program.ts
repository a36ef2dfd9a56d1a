import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** The command that users run. */
export const PROGRAM = `${ROOT}build/cli/main.js`;

export interface Outcome {
  readonly exit: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Brings `build/` up to date. @throws Error with what the build said. */
export function buildProgram(): void {
  const built = spawnSync(process.execPath, [`${ROOT}.ci/build.mjs`], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  if (built.status !== 0 || !existsSync(PROGRAM)) {
    throw new Error(`build/ cannot be made; run: node .ci/build.mjs\n${built.stderr}`);
  }
}

/** Nothing of the machine's or the caller's own settings reaches the program. */
export function cleanEnvironment(more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(VERTEBRA_|VITEST|NODE_|XDG_|STATE_DIRECTORY|INVOCATION_ID)/.test(name),
  );
  return { ...Object.fromEntries(kept), ...more };
}

/** Runs one command line to its end. */
export function runCommand(
  args: readonly string[],
  options: {
    readonly input?: string;
    readonly environment?: NodeJS.ProcessEnv;
    readonly folder?: string;
    /** A command that takes longer is killed. */
    readonly withinMs?: number;
  } = {},
): Promise<Outcome> {
  const child = spawn(process.execPath, [PROGRAM, ...args], {
    cwd: options.folder ?? ROOT,
    env: cleanEnvironment(options.environment),
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  // A command that refuses at once does not read what it is given.
  child.stdin.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') stderr += `stdin: ${error.message}`;
  });
  child.stdin.end(options.input ?? '');
  const late = setTimeout(() => child.kill('SIGKILL'), options.withinMs ?? 20_000);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (exit, signal) => {
      clearTimeout(late);
      resolve({ exit, signal, stdout, stderr });
    });
  });
}
