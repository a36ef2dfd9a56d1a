// `npm run build [-- --wasm-only]`: brings build/ up to date; quick where nothing is stale.
//
// Outputs are written elsewhere and renamed into place, so that builds may run side by side, and a
// process that runs never reads half a file. Everything said goes to stderr.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ADD_ON, compileNative, SOURCE, toolsOf } from './native.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const output = join(root, 'build');

/** Pages of 64 KiB: `END` of assembly/layout.ts, rounded up. Memory never grows. */
const MEMORY_PAGES = '74';
const ASC_FLAGS = [
  ...['-O3', '--runtime', 'stub', '--baseDir', root],
  ...['--initialMemory', MEMORY_PAGES, '--maximumMemory', MEMORY_PAGES],
];
const WASM_BUILDS = [
  { file: 'wasm/kernel-simd.wasm', flags: ['--enable', 'simd'] },
  { file: 'wasm/kernel.wasm', flags: [] },
];

/** What is missing or does not compile: said without a stack. */
class BuildError extends Error {}

function filesUnder(folder, suffix) {
  const entries = readdirSync(join(root, folder), { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && entry.name.endsWith(suffix))
    .map((entry) => relative(root, join(entry.parentPath ?? entry.path, entry.name)))
    .sort();
}

/** One hash over names and contents; `package-lock.json` stands for the compilers. */
function fingerprint(files) {
  const hash = createHash('sha256');
  for (const file of [...files, '.ci/build.mjs', 'package-lock.json']) {
    const content = readFileSync(join(root, file));
    hash.update(`${file}\0${content.length}\0`).update(content);
  }
  return hash.digest('hex');
}

/** What the last complete build of this kind was made from, and what it wrote. */
function readStamp(name) {
  try {
    return JSON.parse(readFileSync(join(output, name), 'utf8'));
  } catch {
    // None yet, or cut short: everything is stale.
    return { inputs: '', outputs: [] };
  }
}

function isFresh(stamp, inputs) {
  return stamp.inputs === inputs && stamp.outputs.every((file) => existsSync(join(output, file)));
}

function place(file, content) {
  const target = join(output, file);
  mkdirSync(dirname(target), { recursive: true });
  const draft = `${target}.${process.pid}.draft`;
  writeFileSync(draft, content);
  renameSync(draft, target);
}

function endBuild(name, before, stamp) {
  for (const file of before.outputs) {
    if (!stamp.outputs.includes(file)) rmSync(join(output, file), { force: true });
  }
  place(name, JSON.stringify(stamp));
}

async function compileWasm({ file, flags }) {
  const { default: asc } = await import('assemblyscript/asc');
  let binary;
  const args = ['assembly/index.ts', '--outFile', 'kernel.wasm', ...ASC_FLAGS, ...flags];
  const { error, stderr } = await asc.main(args, {
    writeFile: (_name, content) => {
      binary = content;
    },
  });
  if (error || binary === undefined) {
    throw new BuildError(`assembly/ does not compile:\n${stderr.toString()}`);
  }
  place(file, binary);
}

async function buildWasm() {
  const inputs = fingerprint(filesUnder('assembly', '.ts'));
  const before = readStamp('.wasm.stamp');
  if (isFresh(before, inputs)) return;
  for (const wasm of WASM_BUILDS) await compileWasm(wasm);
  const outputs = WASM_BUILDS.map(({ file }) => file);
  endBuild('.wasm.stamp', before, { inputs, outputs });
}

/** What tsc makes; `folder` is under build/. */
const PROGRAM = {
  stamp: '.js.stamp',
  project: 'tsconfig.json',
  inputs: () => [...filesUnder('src', '.ts'), 'tsconfig.json'],
  folder: '.',
  name: 'src/',
};
const SIMULATOR = {
  stamp: '.sim.stamp',
  project: 'tsconfig.sim.json',
  inputs: () => [
    ...filesUnder('src', '.ts'),
    ...filesUnder('test/sim', '.ts').filter((file) => !file.endsWith('.test.ts')),
    ...['tsconfig.json', 'tsconfig.sim.json'],
  ],
  folder: 'sim',
  name: 'test/sim',
};

/** Runs the TypeScript compiler. @returns whether it found no error. */
async function runTsc(project, folder) {
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const info = join(folder, '.tsbuildinfo');
  const args = [tsc, '-p', join(root, project), '--outDir', folder];
  const child = spawn(process.execPath, [...args, '--tsBuildInfoFile', info], {
    cwd: root,
    stdio: ['ignore', 2, 2],
  });
  const status = await new Promise((done, fail) => child.on('close', done).on('error', fail));
  rmSync(info, { force: true });
  return status === 0;
}

/** The draft folder lies one level deeper than build/: source maps point one level too high. */
function moveEmitted(folder, into) {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath ?? entry.path, entry.name)));
  for (const file of files) {
    const draft = join(folder, file);
    if (file.endsWith('.map') && into === '.') {
      const map = JSON.parse(readFileSync(draft, 'utf8'));
      map.sources = map.sources.map((source) => source.replace('../', ''));
      writeFileSync(draft, JSON.stringify(map));
    }
    mkdirSync(dirname(join(output, into, file)), { recursive: true });
    renameSync(draft, join(output, into, file));
  }
  return files.map((file) => join(into, file));
}

async function buildJavaScript(target) {
  const inputs = fingerprint(target.inputs());
  const before = readStamp(target.stamp);
  if (isFresh(before, inputs)) return;
  mkdirSync(output, { recursive: true });
  const folder = mkdtempSync(join(output, '.emit-'));
  try {
    const isSound = await runTsc(target.project, folder);
    const outputs = moveEmitted(folder, target.folder);
    if (!isSound) throw new BuildError(`${target.name} has type errors, see above`);
    endBuild(target.stamp, before, { inputs, outputs });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Never an error: a machine without a compiler, or without pins, has everything else. */
function buildNative() {
  const tools = toolsOf();
  const inputs = `${fingerprint([SOURCE, '.ci/native.mjs'])} ${JSON.stringify(tools)}`;
  const before = readStamp('.native.stamp');
  if (isFresh(before, inputs)) return;
  let { missing = null } = tools;
  if (missing === null) {
    const draft = join(output, `.native.${process.pid}.draft`);
    mkdirSync(dirname(join(output, ADD_ON)), { recursive: true });
    missing = compileNative(tools, join(root, SOURCE), draft);
    if (missing === null) renameSync(draft, join(output, ADD_ON));
  }
  const outputs = missing === null ? [ADD_ON] : [];
  if (missing !== null) {
    console.error(`build: the GPIO add-on is left out, pins go through onoff (${missing})`);
  }
  endBuild('.native.stamp', before, { inputs, outputs });
}

function checkPackages() {
  for (const name of ['assemblyscript', 'typescript']) {
    if (!existsSync(join(root, 'node_modules', name, 'package.json'))) {
      throw new BuildError(`the package ${name} is missing. Install the packages:\n\n  npm ci\n`);
    }
  }
}

/**
 * Builds what is stale: both kernels into build/wasm, the add-on into build/native, then, unless
 * `wasmOnly`, src/ into build/.
 *
 * @throws Error with a readable message; JavaScript with type errors is written nonetheless.
 */
export async function build({ wasmOnly = false } = {}) {
  checkPackages();
  await buildWasm();
  buildNative();
  if (!wasmOnly) await buildJavaScript(PROGRAM);
}

/** Compiles test/sim, and what it takes of src/, into build/sim where that is stale. */
export async function buildSimulator() {
  checkPackages();
  await buildJavaScript(SIMULATOR);
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  try {
    await build({ wasmOnly: process.argv.includes('--wasm-only') });
  } catch (error) {
    console.error(error instanceof BuildError ? `build: ${error.message}` : error);
    process.exitCode = 1;
  }
}
