// `npm run test:gpio [-- pi4 pi5]`: the laws of boards over the kernel's own GPIO interfaces, on
// the chips of a Pi 4 and of a Pi 5, in a virtual machine.
//
// With --if-possible, as .ci/run has it, a machine that cannot run it (no Debian, no network, no
// room) says so and ends well; a test that fails fails all the same.
import { spawn, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { root } from './preflight.mjs';

/** Programs, and the Debian packages that have them. */
const PROGRAMS = {
  'qemu-system-x86_64': 'qemu-system-x86',
  busybox: 'busybox-static',
  cpio: 'cpio',
  kmod: 'kmod',
  xz: 'xz-utils',
  make: 'make',
  gcc: 'gcc',
  'apt-get': 'apt',
};
const INSTALL_MS = 240_000;
const KERNEL_MS = 420_000;
/** A guest on a busy machine takes some ten times as long as on a free one. */
const BOOT_SECONDS = 240;
const GUEST_SECONDS = 900;
const GIB = 1024 ** 3;

const here = join(root, 'test/device');
const cache = process.env.GPIO_VM_KERNEL ?? join(root, '.cache/gpio-vm');
export const resultsFile = join(root, '.cache/hardware-results.json');

/** This machine cannot run it, which is no failure of what is tested. */
class Impossible extends Error {}

function missingPrograms() {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  return Object.keys(PROGRAMS).filter(
    (name) => !folders.some((folder) => existsSync(join(folder, name))),
  );
}

function apt(args) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const stdio = ['ignore', 'ignore', 'pipe'];
  return spawnSync('apt-get', args, { env, stdio, timeout: INSTALL_MS }).status === 0;
}

function bringPrograms() {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new Impossible('it takes a PC with Linux');
  }
  const missing = missingPrograms();
  if (missing.length === 0) return;
  const packages = missing.map((name) => PROGRAMS[name]);
  const cure = `sudo apt-get install ${packages.join(' ')}`;
  if (missing.includes('apt-get')) throw new Impossible('it takes a Debian');
  if (process.getuid?.() !== 0) throw new Impossible(`missing: ${missing.join(', ')}. ${cure}`);
  const args = ['install', '-y', '--no-install-recommends', ...packages];
  if (!apt(args) && !(apt(['update']) && apt(args))) {
    throw new Impossible(`could not be installed: ${cure}`);
  }
}

/** Runs a command, with what it says passed on. Null: it was ended from here. */
function run(command, args, { seconds, onText = () => undefined }) {
  return new Promise((done, fail) => {
    // `timeout` ends what the command started as well.
    const all = ['-k', '5', String(seconds), command, ...args];
    const child = spawn('timeout', all, { stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', onText);
    }
    child.on('error', fail);
    child.on('close', (status) => done(status === 124 || status === 137 ? null : status));
  });
}

/** Kernel and first files of the guest: from Debian's packages, some 290 MB, once. */
async function bringKernel() {
  const isThere = () => ['vmlinuz', 'initrd.img'].every((name) => existsSync(join(cache, name)));
  if (isThere()) return;
  mkdirSync(cache, { recursive: true });
  const { bavail, bsize } = statfsSync(cache);
  if (bavail * bsize < 3 * GIB) throw new Impossible(`${cache} has less than 3 GiB of room`);
  console.log('building the kernel of the virtual machine (290 MB of downloads, once)');
  const draft = mkdtempSync(join(cache, 'draft-'));
  try {
    let said = '';
    const status = await run('bash', [join(here, 'gpio-vm/build.sh'), draft], {
      seconds: KERNEL_MS / 1000,
      onText: (text) => {
        said = (said + text).slice(-2000);
      },
    });
    const files = ['vmlinuz', 'initrd.img'].map((name) => join(draft, name));
    if (status !== 0 || !files.every((file) => existsSync(file))) {
      const why =
        status === null ? 'it took too long' : said.trim().split('\n').slice(-3).join('\n');
      throw new Impossible(`the guest's kernel could not be built: ${why}`);
    }
    for (const name of ['vmlinuz', 'initrd.img']) renameSync(join(draft, name), join(cache, name));
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

/**
 * Runs a command in the guest.
 *
 * @returns its exit code, or null where the guest did not come so far as to have one.
 */
async function inGuest(board, command, { seconds, onText }) {
  const empty = mkdtempSync('/tmp/vertebra-gpio-');
  let said = '';
  const hear = (text) => {
    said += text;
    onText(text);
  };
  const args = ['-k', cache, '-b', join(here, `gpio-vm/boards/${board}.sh`), '-m', '1500'];
  const limits = ['-t', String(seconds), '-d', empty];
  try {
    const all = [join(here, 'gpio-vm/run.sh'), ...args, ...limits, '--', ...command];
    await run('bash', all, { seconds: seconds + 30, onText: hear });
  } finally {
    rmSync(empty, { recursive: true, force: true });
  }
  const code = /^@@EXIT (\d+)/m.exec(said)?.[1];
  const count = (name) => Number(new RegExp(`^ℹ ${name} (\\d+)`, 'm').exec(said)?.[1] ?? 0);
  const failed = count('fail') + count('cancelled');
  return { code: code === undefined ? null : Number(code), passed: count('pass'), failed };
}

function mustRun(file) {
  const { status } = spawnSync(process.execPath, [file], { cwd: root, stdio: ['ignore', 2, 2] });
  if (status !== 0) throw new Error(`${file} ended with ${status}`);
}

/** The guest has a /tmp of its own; the host's is elsewhere there (gpio-vm/guest-init). */
export function guestPath(path) {
  return path.startsWith('/tmp/') ? path.replace('/tmp/', '/mnt/hosttmp/') : path;
}

/** A guest that stopped amid its tests, and said nothing of a failed one, is started once more. */
async function testInGuest(board) {
  const tests = guestPath(join(root, 'build/device/tests.mjs'));
  const command = ['env', 'NO_COLOR=1', process.execPath, '--test-reporter=spec', tests];
  const onText = (text) => process.stdout.write(text);
  const outcome = await inGuest(board, command, { seconds: GUEST_SECONDS, onText });
  if (outcome.code !== null) return outcome;
  console.log('The virtual machine stopped without a result; once more.');
  return await inGuest(board, command, { seconds: GUEST_SECONDS, onText });
}

/** Brings what the guest needs, and starts it once. @throws Impossible */
async function bringGuest(board) {
  bringPrograms();
  await bringKernel();
  mustRun(join(root, '.ci/build.mjs'));
  if (!existsSync(join(root, 'build/native/gpio.node'))) {
    throw new Impossible('the GPIO add-on was not compiled here');
  }
  const silent = { seconds: BOOT_SECONDS, onText: () => undefined };
  const look = ['-e', 'fs.accessSync(process.argv[1])', guestPath(join(root, 'package.json'))];
  const { code } = await inGuest(board, [process.execPath, ...look], silent);
  if (code === null) throw new Impossible('the virtual machine does not start here');
  if (code !== 0) throw new Impossible(`the virtual machine does not see ${root}`);
}

/** For a benchmark: `inGuest`, or null where this machine has none, which is said. */
export async function guestOf(say) {
  try {
    await bringGuest('pi4');
    return inGuest;
  } catch (cause) {
    if (!(cause instanceof Impossible)) throw cause;
    say(`no virtual machine here: ${cause.message}`);
    return null;
  }
}

async function testBoards(boards) {
  await bringGuest(boards[0]);
  mustRun(join(here, 'bundle.mjs'));
  const sum = { passed: 0, failed: 0 };
  for (const board of boards) {
    console.log(`-- ${board} --`);
    const { code, passed, failed } = await testInGuest(board);
    sum.passed += passed;
    // A guest that comes to no end, or ends badly without a word, is one failure.
    sum.failed += code === 0 && passed > 0 ? 0 : Math.max(1, failed);
  }
  return sum;
}

/** What the last run came to, for the sum of all tests. */
export function hardwareResults() {
  if (!existsSync(resultsFile)) return { passed: 0, failed: 0 };
  return JSON.parse(readFileSync(resultsFile, 'utf8'));
}

async function main(args) {
  const isOptional = args.includes('--if-possible');
  const boards = args.filter((arg) => arg !== '--if-possible');
  rmSync(resultsFile, { force: true });
  try {
    const sum = await testBoards(boards.length === 0 ? ['pi4', 'pi5'] : boards);
    mkdirSync(join(root, '.cache'), { recursive: true });
    writeFileSync(resultsFile, JSON.stringify(sum));
    console.log(`hardware: ${sum.passed} passed, ${sum.failed} failed`);
    process.exitCode = sum.failed === 0 ? 0 : 1;
  } catch (cause) {
    if (!(cause instanceof Impossible)) throw cause;
    console.log(`The hardware tests cannot run on this machine: ${cause.message}`);
    process.exitCode = isOptional ? 0 : 1;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main(process.argv.slice(2));
