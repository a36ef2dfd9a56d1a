import { existsSync, lstatSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { loadSecretFile } from '../identity/index.ts';
import { SETTING_NAMES, variableOf } from './config.ts';
import { ConfigError, loadConfig, nearestOf } from './config-file.ts';
import { checkBoard } from './doctor-board.ts';
import type { Finding } from './doctor-finding.ts';
import { checkLinks } from './doctor-links.ts';
import { checkRetention } from './doctor-retention.ts';
import { checkSerial } from './doctor-serial.ts';
import { type Home, type WorldHome, worldAt, worldNames } from './home.ts';

export type { Finding } from './doctor-finding.ts';

export interface DoctorOptions {
  readonly home: Home;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The World to look at; null: all of the home. */
  readonly world: string | null;
  /** Does an agent answer at this World's socket? Rejects where none does. */
  readonly isLive: (world: WorldHome) => Promise<boolean>;
}

const NODE_LEAST = [20, 10] as const;
const COMPILER = 'sudo apt-get install build-essential python3';
const DISK_LEAST_BYTES = 64 * 1024 * 1024;
const DISK_WELCOME_BYTES = 512 * 1024 * 1024;
/** A clock before this was never set: 1 January 2026. */
const CLOCK_LEAST_MS = Date.UTC(2026, 0, 1);
/** Variables that are no settings. */
const OTHER_VARIABLES = ['VERTEBRA_HOME', 'VERTEBRA_WORLD'];

const ok = (check: string, found: string): Finding => ({ check, state: 'ok', found, mend: null });
const note = (check: string, found: string, mend: string): Finding => ({
  check,
  state: 'note',
  found,
  mend,
});
const problem = (check: string, found: string, mend: string): Finding => ({
  check,
  state: 'problem',
  found,
  mend,
});

/** Looks at everything that an agent of this home needs. Changes nothing. */
export async function diagnose(options: DoctorOptions): Promise<Finding[]> {
  const { home, environment } = options;
  const findings = [
    checkNode(process.versions.node),
    await attempt('better-sqlite3', checkSqlite, sqliteMend),
    await attempt('kernel', checkKernel, () => 'npm run build'),
    checkHome(home),
    await attempt(
      'key',
      () => checkKey(home),
      () => 'vertebra init',
    ),
    await attempt(
      'settings',
      () => checkSettings(home, environment),
      () => MEND_SETTINGS,
    ),
    checkClock(Date.now()),
    await attempt(
      'disk',
      () => checkDisk(home.folder),
      () => 'Free some space.',
    ),
    ...(await lookAtBoard(options)),
    ...lookAtCables(options),
  ];
  const names = options.world === null ? worldNames(home) : [options.world];
  if (names.length === 0) {
    const mend = 'vertebra world create NAME --secret-file FILE\nvertebra world join NAME ...';
    findings.push(note('Worlds', 'this home is in none yet', mend));
  }
  for (const name of names) findings.push(...(await checkWorld(worldAt(home, name), options)));
  return findings;
}

const MEND_SETTINGS = 'Correct that line, or put a # before it to take the default.';

async function attempt(
  check: string,
  look: () => Finding | Promise<Finding>,
  mend: (cause: unknown) => string,
): Promise<Finding> {
  try {
    return await look();
  } catch (cause) {
    const found = cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : String(cause);
    return problem(check, found, mend(cause));
  }
}

export function checkNode(version: string): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [leastMajor, leastMinor] = NODE_LEAST;
  const isEnough = major > leastMajor || (major === leastMajor && minor >= leastMinor);
  if (isEnough) return ok('Node', version);
  const mend = 'Get it from https://nodejs.org or your distribution.';
  return problem('Node', `${version}; ${NODE_LEAST.join('.')} or newer is needed`, mend);
}

async function checkSqlite(): Promise<Finding> {
  const { default: Database } = await import('better-sqlite3');
  const database = new Database(':memory:');
  const version = database.prepare('SELECT sqlite_version()').pluck().get();
  database.close();
  return ok('better-sqlite3', `SQLite ${version}`);
}

function sqliteMend(cause: unknown): string {
  const isMissing = cause instanceof Error && 'code' in cause && /MODULE_NOT/.test(`${cause.code}`);
  return isMissing ? `${COMPILER}\nnpm ci` : `${COMPILER}\nnpm rebuild better-sqlite3`;
}

async function checkKernel(): Promise<Finding> {
  const { loadKernel } = await import('../kernel/kernel.ts');
  const { build } = loadKernel();
  if (build === 'simd') return ok('kernel', 'WebAssembly with SIMD');
  const mend = 'Nothing to do: this processor, or this Node, has no SIMD in WebAssembly.';
  return note('kernel', 'WebAssembly without SIMD: hashing is slower', mend);
}

function checkHome(home: Home): Finding {
  if (!existsSync(home.folder)) {
    return problem('home', `${home.folder} does not exist`, 'vertebra init');
  }
  const mode = lstatSync(home.folder).mode & 0o777;
  if ((mode & 0o022) !== 0) {
    return problem('home', `others may write in ${home.folder}`, `chmod go-w '${home.folder}'`);
  }
  return ok('home', home.folder);
}

function checkKey(home: Home): Finding {
  loadSecretFile(home.keyFile, 'participant');
  return ok('key', home.keyFile);
}

function checkSettings(home: Home, environment: DoctorOptions['environment']): Finding {
  loadConfig({ file: home.configFile, environment });
  const known = [...SETTING_NAMES.map(variableOf), ...OTHER_VARIABLES];
  const strange = Object.keys(environment).find(
    (name) => name.startsWith('VERTEBRA_') && !known.includes(name),
  );
  if (strange !== undefined) {
    const found = `the environment has ${strange}, which sets nothing`;
    return note('settings', found, `Did you mean ${nearestOf(strange, known)}?`);
  }
  const where = existsSync(home.configFile) ? home.configFile : 'all defaults';
  return ok('settings', where);
}

export function checkClock(wallMs: number): Finding {
  const now = new Date(wallMs).toISOString();
  if (wallMs >= CLOCK_LEAST_MS) return ok('clock', now);
  const mend = 'sudo timedatectl set-ntp true\n(The order of Entries does not depend on it.)';
  return problem('clock', `it says ${now}: it was never set`, mend);
}

function checkDisk(folder: string): Finding {
  let there = folder;
  while (!existsSync(there)) there = dirname(there);
  const { bavail, bsize } = statfsSync(there);
  const bytes = bavail * bsize;
  const found = `${Math.floor(bytes / 1024 / 1024)} MiB free at ${there}`;
  const mend = 'Free some space, or move the home to a larger disk.';
  if (bytes < DISK_LEAST_BYTES) return problem('disk', found, mend);
  return bytes < DISK_WELCOME_BYTES ? note('disk', found, mend) : ok('disk', found);
}

/** Its settings may be wrong, which `settings` says already. */
async function lookAtBoard(options: DoctorOptions): Promise<Finding[]> {
  try {
    const { environment, home } = options;
    return await checkBoard({ configFile: home.configFile, environment });
  } catch (cause) {
    const found = cause instanceof Error ? cause.message : String(cause);
    return [problem('board', found, MEND_SETTINGS)];
  }
}

/** Where the settings cannot be read, `settings` says so. */
function lookAtCables({ environment, home }: DoctorOptions): Finding[] {
  try {
    const { listen, peers } = loadConfig({ file: home.configFile, environment });
    return checkSerial([...listen, ...peers]);
  } catch (cause) {
    if (cause instanceof ConfigError) return [];
    return [
      problem('serial', cause instanceof Error ? cause.message : String(cause), MEND_SETTINGS),
    ];
  }
}

async function checkWorld(world: WorldHome, options: DoctorOptions): Promise<Finding[]> {
  const { name } = world;
  const secret = await attempt(
    `${name}: secret`,
    () => {
      loadSecretFile(world.secretFile, 'world');
      return ok(`${name}: secret`, world.secretFile);
    },
    () => `vertebra world join ${name} --secret-file FILE`,
  );
  const database = await attempt(
    `${name}: database`,
    () => checkDatabase(world),
    () => 'Keep a copy of the file, then: vertebra verify',
  );
  const retention = await attempt(
    `${name}: retention`,
    () => checkRetention(world, options),
    () => 'Keep a copy of the file, then: vertebra verify',
  );
  const links = await checkLinks(world, options);
  const agent = await checkAgent(world, options);
  return [secret, database, retention, ...links, checkSocket(world), agent];
}

async function checkDatabase(world: WorldHome): Promise<Finding> {
  const check = `${world.name}: database`;
  if (!existsSync(world.databaseFile)) {
    return note(check, 'not made yet', 'The first vertebra run makes it.');
  }
  const { readWorld } = await import('./reading.ts');
  const store = readWorld(world);
  try {
    return ok(check, `${store.groups().length} Sync Groups in ${world.databaseFile}`);
  } finally {
    store.close();
  }
}

function checkSocket(world: WorldHome): Finding {
  const check = `${world.name}: socket`;
  if (dirname(world.socketFile) === world.folder) return ok(check, world.socketFile);
  const mend = 'Nothing to do: vertebra finds it. A home with a shorter path would have it inside.';
  return note(check, `${world.folder} is too long for one; it is ${world.socketFile}`, mend);
}

async function checkAgent(world: WorldHome, options: DoctorOptions): Promise<Finding> {
  const check = `${world.name}: agent`;
  try {
    await options.isLive(world);
    return ok(check, 'running');
  } catch {
    return note(check, 'not running', `vertebra run --world ${world.name}`);
  }
}
