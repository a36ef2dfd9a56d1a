// `npm run sim -- ARGS` and `npm run explore -- ARGS`: compiles test/sim into build/sim where it is
// stale, then runs the command in this process. Everything said before it is on stderr.
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { buildSimulator } from './build.mjs';
import { insist, root } from './preflight.mjs';

const COMMANDS = ['sim', 'explore'];

/** The compiled simulator, and where a module of it lies. */
export async function loadSimulator(name) {
  await buildSimulator();
  return import(pathToFileURL(join(root, 'build/sim/test/sim', `${name}.js`)).href);
}

async function start([name, ...args]) {
  if (!COMMANDS.includes(name)) throw new Error(`no command ${name}`);
  insist();
  const { main, usage } = await loadSimulator(name);
  try {
    process.exitCode = main(args);
  } catch (error) {
    if (error?.name !== 'UsageError') throw error;
    console.error(`${error.message}\n${usage}`);
    process.exitCode = 2;
  }
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  await start(process.argv.slice(2));
}
