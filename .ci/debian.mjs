// Debian programs that tests and benchmarks run, wherever they come from: this machine's PATH, or a
// package unpacked into `.cache/debian/` without root, or installed where the caller is root.
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, join } from 'node:path';
import { root } from './preflight.mjs';

/**
 * `service`: its package starts a daemon when installed, which nobody asked for, so it is unpacked
 * even where the caller is root. `probe`: arguments that make it end at once.
 */
const PROGRAMS = {
  etcd: { package: 'etcd-server', probe: ['--version'], service: true },
  ip: { package: 'iproute2', probe: ['-V'], service: false },
  mosquitto: { package: 'mosquitto', probe: ['-h'], service: true },
  nft: { package: 'nftables', probe: ['--version'], service: false },
  socat: { package: 'socat', probe: ['-V'], service: false },
  strace: { package: 'strace', probe: ['-V'], service: false },
};

const BIN_FOLDERS = ['usr/bin', 'usr/sbin', 'bin', 'sbin'];
const cache = join(root, '.cache/debian');

function run(command, args, options = {}) {
  const result = spawnSync(command, args, { encoding: 'utf8', ...options });
  const said = `${result.stderr ?? ''}${result.error?.message ?? ''}`.trim();
  return { ok: result.status === 0, stdout: result.stdout ?? '', said };
}

function mustRun(command, args, options) {
  const result = run(command, args, options);
  if (!result.ok) throw new Error(`${command} ${args[0]}: ${result.said.split('\n').at(-1)}`);
  return result.stdout;
}

/** Starts it once: a program without its libraries is not there. */
function works(path, probe) {
  const result = spawnSync(path, probe, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  return result.error === undefined && result.signal === null && result.status < 126;
}

function onPath(name) {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
}

/** apt-get with package lists of its own, for a caller who may not renew the system's. */
function aptOptions() {
  const state = join(cache, 'apt');
  for (const folder of ['lists/partial', 'archives/partial']) {
    mkdirSync(join(state, folder), { recursive: true });
  }
  return [
    `Dir::State::lists=${join(state, 'lists')}`,
    `Dir::Cache=${state}`,
    'Debug::NoLocking=true',
    'APT::Sandbox::User=',
  ].flatMap((option) => ['-o', option]);
}

/** The package and those it needs that this machine does not have. */
function closureOf(name, options) {
  const plan = ['install', '--simulate', '--no-install-recommends', name];
  const lines = mustRun('apt-get', [...options, ...plan]).split('\n');
  return lines.flatMap((line) => /^Inst (\S+)/.exec(line)?.[1] ?? []);
}

function download(name, folder) {
  const fetch = (options) =>
    mustRun('apt-get', [...options, 'download', ...closureOf(name, options)], { cwd: folder });
  try {
    fetch([]);
  } catch {
    // No package lists on this machine, or too old ones: fetch lists into the cache.
    const options = aptOptions();
    mustRun('apt-get', [...options, 'update']);
    fetch(options);
  }
}

/**
 * A small script beside the unpacked program; it shows the program the libraries unpacked with it.
 */
function writeLauncher(path, tree, program) {
  const folders = ['usr/lib', 'lib'].flatMap((folder) => {
    const at = join(tree, folder);
    if (!existsSync(at)) return [];
    const triplets = readdirSync(at).filter((entry) => entry.includes('-linux-gnu'));
    return [folder, ...triplets.map((entry) => join(folder, entry))];
  });
  const libraries = folders.map((folder) => `$here/tree/${folder}`).join(':');
  writeFileSync(
    path,
    [
      '#!/bin/sh',
      'here=$(dirname "$(readlink -f "$0")")',
      ...(folders.length > 0 ? [`export LD_LIBRARY_PATH="${libraries}"`] : []),
      `exec "$here/tree/${program}" "$@"`,
      '',
    ].join('\n'),
  );
  chmodSync(path, 0o755);
}

/** Unpacks the package into the cache. Two processes may do so at once: the first one's stays. */
function unpack(name) {
  const place = join(cache, PROGRAMS[name].package);
  const launcher = join(place, name);
  if (existsSync(launcher)) return launcher;
  mkdirSync(cache, { recursive: true });
  const work = mkdtempSync(join(cache, 'unpack-'));
  try {
    download(PROGRAMS[name].package, work);
    const tree = join(work, 'tree');
    mkdirSync(tree);
    for (const file of readdirSync(work).filter((entry) => entry.endsWith('.deb'))) {
      mustRun('dpkg-deb', ['-x', file, 'tree'], { cwd: work });
      rmSync(join(work, file));
    }
    const bin = BIN_FOLDERS.find((folder) => existsSync(join(tree, folder, name)));
    if (bin === undefined) throw new Error(`the package holds no program ${name}`);
    writeLauncher(join(work, name), tree, join(bin, name));
    if (!existsSync(launcher)) {
      rmSync(place, { recursive: true, force: true });
      renameSync(work, place);
    }
    return launcher;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** @returns whether the package manager, as root, installed it. */
function install(name) {
  const options = { env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } };
  const args = ['install', '-y', '--no-install-recommends', PROGRAMS[name].package];
  if (run('apt-get', args, options).ok) return true;
  return run('apt-get', ['update'], options).ok && run('apt-get', args, options).ok;
}

function find(name) {
  const { package: debianPackage, probe, service } = PROGRAMS[name];
  const present = onPath(name);
  if (present !== undefined && works(present, probe)) return present;
  try {
    if (process.getuid?.() === 0 && !service && install(name)) return onPath(name);
    const unpacked = unpack(name);
    if (works(unpacked, probe)) return unpacked;
    throw new Error('it was unpacked, but does not start');
  } catch (cause) {
    const cure = `install it yourself: sudo apt-get install ${debianPackage}`;
    throw new Error(`${name} is needed and could not be got (${cause.message}); ${cure}`, {
      cause,
    });
  }
}

/**
 * Brings Debian programs.
 *
 * @param {readonly (keyof typeof PROGRAMS)[]} names
 * @returns {Promise<Record<string, string>>} the path of each.
 * @throws Error that names the program that can't be had, why, and what to install.
 */
export async function need(names) {
  return Object.fromEntries(names.map((name) => [name, find(name)]));
}
