import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import {
  createSecretFile,
  deriveAvatar,
  IdentityError,
  loadSecretFile,
  parseSecretLine,
  SEED_BYTES,
  Secret,
  WORLD_BYTES,
} from '../identity/index.ts';
import { toHex } from '../model/bytes.ts';
import { loadConfig } from './config-file.ts';
import { formatConfigFile } from './config-text.ts';
import {
  type Home,
  HomeError,
  makeHome,
  makeWorldHome,
  type WorldHome,
  worldAt,
  worldNames,
} from './home.ts';

/** What `init` found or made. */
export interface HomeMade {
  readonly home: string;
  /** Files that were not there before. */
  readonly made: readonly string[];
}

/**
 * Makes what a home lacks: its folders, the Participant's key, the file of settings. What is there
 * stays as it is.
 *
 * @param name What the Participant calls itself; the machine's name if not given.
 * @throws ConfigError for a name that cannot be one; HomeError, IdentityError
 */
export function initHome(home: Home, name: string | undefined): HomeMade {
  const own = name ?? hostname().slice(0, 64);
  loadConfig({ file: null, environment: {}, flags: { name: own } });
  makeHome(home);
  const made: string[] = [];
  if (!existsSync(home.keyFile)) {
    createSecretFile(home.keyFile, 'participant', Secret.random(SEED_BYTES));
    made.push(home.keyFile);
  } else {
    loadSecretFile(home.keyFile, 'participant');
  }
  if (!existsSync(home.configFile)) {
    const text = formatConfigFile({ name: own });
    writeFileSync(home.configFile, text, { mode: 0o600, flag: 'wx' });
    made.push(home.configFile);
  }
  return { home: home.folder, made };
}

/** A home's membership of a World. */
export interface Membership {
  readonly world: string;
  readonly folder: string;
  /** Id of this Participant's Avatar there. */
  readonly avatar: string;
}

/**
 * Makes a World: its identifier goes into the home, and into a file to carry to others.
 *
 * @throws HomeError, IdentityError; nothing is left behind then.
 */
export function createWorld(home: Home, name: string, secretFile: string): Membership {
  const world = newWorldHome(home, name);
  const seed = loadSecretFile(home.keyFile, 'participant');
  const secret = Secret.random(WORLD_BYTES);
  createSecretFile(secretFile, 'world', secret);
  try {
    return becomeMember(world, seed, secret);
  } catch (cause) {
    rmSync(secretFile);
    throw cause;
  }
}

/**
 * Joins the World whose identifier a file holds.
 *
 * @param source The file, or what stands in it.
 * @throws HomeError, IdentityError
 */
export function joinWorld(home: Home, name: string, source: string | Uint8Array): Membership {
  const world = newWorldHome(home, name);
  const seed = loadSecretFile(home.keyFile, 'participant');
  const secret =
    typeof source === 'string'
      ? loadSecretFile(source, 'world')
      : parseSecretLine(source, 'world', 'the standard input');
  refuseTwice(home, secret);
  return becomeMember(world, seed, secret);
}

function newWorldHome(home: Home, name: string): WorldHome {
  const world = worldAt(home, name);
  if (!existsSync(home.keyFile)) {
    throw new HomeError('HOME_MISSING', `${home.folder} has no key yet. Run: vertebra init`);
  }
  if (existsSync(world.secretFile)) {
    throw new HomeError(
      'WORLD_EXISTS',
      `${home.folder} is a member of a World ${name} already. Take another name for this one.`,
    );
  }
  return world;
}

/** One Avatar with two databases would sooner or later say two different things. */
function refuseTwice(home: Home, secret: Secret): void {
  for (const name of worldNames(home)) {
    if (!loadSecretFile(worldAt(home, name).secretFile, 'world').equals(secret)) continue;
    const message = `${home.folder} is a member of this World already: it is called ${name} here.`;
    throw new HomeError('WORLD_EXISTS', message);
  }
}

function becomeMember(world: WorldHome, seed: Secret, secret: Secret): Membership {
  const keys = deriveAvatar(seed, secret);
  makeWorldHome(world);
  createSecretFile(world.secretFile, 'world', secret);
  return { world: world.name, folder: world.folder, avatar: toHex(keys.id) };
}

/** The keys with which a Participant runs in a World, read from its home. @throws IdentityError */
export function loadKeys(home: Home, world: WorldHome): { seed: Secret; world: Secret } {
  if (!existsSync(home.keyFile)) {
    const message = `${home.keyFile} does not exist. Run: vertebra init`;
    throw new IdentityError('IDENTITY_FILE_MISSING', message);
  }
  // After a log was adopted this World's Avatar has a seed of its own.
  const seedFile = existsSync(world.avatarKeyFile) ? world.avatarKeyFile : home.keyFile;
  return {
    seed: loadSecretFile(seedFile, 'participant'),
    world: loadSecretFile(world.secretFile, 'world'),
  };
}
