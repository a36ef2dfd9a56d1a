// `npm test -- ARGS`: brings what tests need, builds what is stale, runs vitest with ARGS, and ends
// with a plain line `N passed, N failed`.
import { spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { forgetReport, reportFile, summary } from './count.mjs';
import { need } from './debian.mjs';
import { insist, root } from './preflight.mjs';

function runVitest(args) {
  const vitest = join(root, 'node_modules/vitest/vitest.mjs');
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${reportFile}`];
  const child = spawn(process.execPath, [vitest, 'run', ...reporters, ...args], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status) => resolve(status ?? 1));
  });
}

insist();
try {
  await need(['ip', 'mosquitto', 'nft', 'socat', 'strace']);
} catch (cause) {
  console.error(cause.message);
  process.exit(1);
}
const built = spawnSync(process.execPath, [join(root, '.ci/build.mjs')], {
  cwd: root,
  stdio: ['ignore', 'inherit', 'inherit'],
});
if (built.status !== 0) process.exit(built.status ?? 1);

forgetReport();
const status = await runVitest(process.argv.slice(2));
console.log(summary(status));
process.exitCode = status;
