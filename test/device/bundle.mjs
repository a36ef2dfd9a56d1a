// bundle.mjs: puts what the guest runs into few files under build/: it reads each from the host,
// and has a processor that is played by a program. The build is there already.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = fileURLToPath(new URL('.', import.meta.url));
const root = join(here, '../..');
const tests = readdirSync(here).filter((name) => name.endsWith('-board.ts'));

const shared = {
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  logLevel: 'warning',
  // These are compiled for the machine, or look for what is, or are of no use without a network.
  external: ['onoff', 'epoll', 'serialport', 'better-sqlite3', 'mqtt', 'aedes', 'bonjour-service'],
};

// An agent and the command line: what they may need later stays in files of its own.
await build({
  ...shared,
  entryPoints: {
    agent: join(here, 'pin-agent.mjs'),
    vertebra: join(root, 'build/cli/main.js'),
  },
  outdir: join(root, 'build/device'),
  outExtension: { '.js': '.mjs' },
  // Packages of the older kind ask for Node's own modules by `require`.
  banner: {
    js:
      "import { createRequire as openRequire } from 'node:module';\n" +
      'const require = openRequire(import.meta.url);',
  },
  splitting: true,
});

await build({
  ...shared,
  stdin: {
    contents: tests.map((name) => `import './${name}';`).join('\n'),
    resolveDir: here,
    loader: 'ts',
  },
  outfile: join(root, 'build/device/tests.mjs'),
  alias: { vitest: join(here, 'guest.mjs') },
});
