import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout: where package.json lies. */
export const root = fileURLToPath(new URL('..', import.meta.url));

const COMPILER = 'sudo apt-get install build-essential python3';

/** Is `version` (such as `20.10.0`) at least `wanted`? */
function isAtLeast(version, wanted) {
  const have = version.split('.').map(Number);
  for (const [index, least] of wanted.split('.').map(Number).entries()) {
    if ((have[index] ?? 0) !== least) return (have[index] ?? 0) > least;
  }
  return true;
}

/** better-sqlite3 is optional for npm, so that a machine without a compiler installs quietly. */
function missingSqlite(require) {
  if (!existsSync(join(root, 'node_modules/better-sqlite3/package.json'))) {
    return [
      'better-sqlite3 is not installed: no ready binary fits, and it did not compile.',
      `Install a compiler, then the packages again:\n\n  ${COMPILER}\n  npm ci\n`,
    ];
  }
  try {
    const Database = require('better-sqlite3');
    new Database(':memory:').close();
    return null;
  } catch (cause) {
    const code = cause.code ?? cause.name;
    return [
      `better-sqlite3 has no binary that Node ${process.version} can load (${code}).`,
      `Compile it here:\n\n  ${COMPILER}\n  npm rebuild better-sqlite3\n`,
    ];
  }
}

/**
 * Says what this machine lacks before anything of vertebra can run.
 *
 * @returns what is missing and how to get it, or null.
 */
export function missing() {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const wanted = manifest.engines.node.replace(/^[^\d]*/, '');
  if (!isAtLeast(process.versions.node, wanted)) {
    return [
      `vertebra needs Node ${wanted} or newer, this is ${process.version}.`,
      'Get it from https://nodejs.org or your distribution.\n',
    ];
  }
  const packages = { ...manifest.dependencies, ...manifest.devDependencies };
  const absent = Object.keys(packages).filter(
    (name) => !existsSync(join(root, 'node_modules', name, 'package.json')),
  );
  if (absent.length > 0) {
    const some = absent.slice(0, 3).join(', ') + (absent.length > 3 ? ', ...' : '');
    return [`Packages are missing (${some}). Install them:\n\n  npm ci\n`];
  }
  return missingSqlite(createRequire(join(root, 'package.json')));
}

/** Ends the process with one short message where something is missing. */
export function insist() {
  const lines = missing();
  if (lines === null) return;
  console.error(`\n${lines.join('\n')}`);
  process.exit(1);
}
