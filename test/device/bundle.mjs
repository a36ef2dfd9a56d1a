// bundle.mjs: puts the tests of test/device/*-board.ts into one file under build/, which the guest
// runs without reading a thousand files from the host.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = fileURLToPath(new URL('.', import.meta.url));
const root = join(here, '../..');
const tests = readdirSync(here).filter((name) => name.endsWith('-board.ts'));

await build({
  stdin: {
    contents: tests.map((name) => `import './${name}';`).join('\n'),
    resolveDir: here,
    loader: 'ts',
  },
  outfile: join(root, 'build/device/tests.mjs'),
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  logLevel: 'warning',
  alias: { vitest: join(here, 'guest.mjs') },
  // These are compiled for the machine, or look for what is.
  external: ['onoff', 'epoll', 'serialport', 'better-sqlite3'],
});
