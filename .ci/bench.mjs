// `npm run bench -- NAME [--json]`: builds what is stale, installs the peers on the first run, and
// measures. With --json the last line on stdout is one object, and everything else is on stderr.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { buildSimulator } from './build.mjs';
import { insist, root } from './preflight.mjs';

const folder = join(root, 'bench');
/** The benchmarks are the modules of bench/ whose name has no dash, but for the harness. */
const names = readdirSync(folder)
  .filter((file) => /^[a-z]+\.mjs$/.test(file) && file !== 'harness.mjs')
  .map((file) => file.replace('.mjs', ''));

function fail(message) {
  console.error(message);
  process.exit(2);
}

function mustRun(command, args, cwd) {
  const { status } = spawnSync(command, args, { cwd, stdio: ['ignore', 2, 2] });
  if (status !== 0) process.exit(status ?? 1);
}

/** These measure ours alone, in the compiled simulator. */
const SIMULATED = ['delays', 'scale'];

/** As the lock file says: npm notes what it installed, and when. */
function arePeersInstalled() {
  const note = join(folder, 'node_modules/.package-lock.json');
  const wanted = statSync(join(folder, 'package-lock.json')).mtimeMs;
  return existsSync(note) && statSync(note).mtimeMs >= wanted;
}

const args = process.argv.slice(2);
const isJson = args.includes('--json');
const [name, ...rest] = args.filter((arg) => arg !== '--json');
const usage = `npm run bench -- NAME [--json]\nNAME is one of: ${names.join(', ')}`;
if (name === undefined || rest.length > 0) fail(usage);
if (!names.includes(name)) fail(`no benchmark ${name}\n${usage}`);

insist();
mustRun(process.execPath, [join(root, '.ci/build.mjs')], root);
if (SIMULATED.includes(name)) {
  await buildSimulator();
} else if (!arePeersInstalled()) {
  console.error('installing the peers into bench/node_modules');
  mustRun('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], folder);
}

const { run } = await import(pathToFileURL(join(folder, `${name}.mjs`)).href);
const { machine, tableOf } = await import(pathToFileURL(join(folder, 'harness.mjs')).href);
const about = machine();
console.error(`${about.cpu}, ${about.cores} cores, ${about.memoryMiB} MiB, Node ${about.node}`);
const results = await run((line) => console.error(line));
(isJson ? console.error : console.log)(`\n${tableOf(results)}`);
if (isJson) console.log(JSON.stringify({ bench: name, machine: about, results }));
