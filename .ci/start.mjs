// `npm start -- ARGS`: builds what is stale, then becomes `vertebra demo ARGS`.
//
// The demo runs in this process, so signals, terminal and exit code are its own. Everything before
// it speaks on stderr: with --json the last line on stdout is the demo's.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { insist, root } from './preflight.mjs';

insist();
const built = spawnSync(process.execPath, [join(root, '.ci/build.mjs')], {
  cwd: root,
  stdio: ['ignore', 2, 2],
});
if (built.status !== 0) process.exit(built.status ?? 1);

const main = join(root, 'build/cli/main.js');
process.argv.splice(1, process.argv.length, main, 'demo', ...process.argv.slice(2));
await import(pathToFileURL(main).href);
