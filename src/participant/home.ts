import { createHash } from 'node:crypto';
import { accessSync, constants, existsSync, mkdirSync, readdirSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/** Bytes of a unix socket's path on Linux: 108 with the zero at its end (unix(7)). */
export const SOCKET_PATH_BYTES_MAX = 107;

const SERVICE_HOME = '/var/lib/vertebra';
const OWNER_ONLY_MODE = 0o700;

/** Where one Participant keeps all that it has. Paths are absolute. */
export interface Home {
  readonly folder: string;
  /** The Participant's seed, mode 0600. */
  readonly keyFile: string;
  readonly configFile: string;
  readonly worldsFolder: string;
}

/** The part of a home that belongs to one World. */
export interface WorldHome {
  readonly name: string;
  readonly folder: string;
  /** The World identifier, mode 0600. */
  readonly secretFile: string;
  /** The seed of this World's Avatar, mode 0600, where it is not the Participant's own. */
  readonly avatarKeyFile: string;
  readonly databaseFile: string;
  /** Held by the one process that may write here. */
  readonly lockFile: string;
  /** Says which process that is, and where its socket is. */
  readonly agentFile: string;
  readonly socketFile: string;
}

/** What decides where a home is; tests bring their own. */
export interface HomeSurroundings {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly userId: number;
  readonly userFolder: string;
  readonly isWritable: (folder: string) => boolean;
}

/** Lower-case, so that a folder has one name on every file system. */
export const WORLD_NAME = /^[a-z0-9][a-z0-9_-]{0,47}$/;

/** A home, or a World in it, is not there or cannot be made. */
export class HomeError extends Error {
  override readonly name = 'HomeError';
  readonly code:
    | 'HOME_MISSING'
    | 'HOME_UNWRITABLE'
    | 'WORLD_NAME'
    | 'WORLD_EXISTS'
    | 'WORLD_UNKNOWN'
    | 'WORLD_UNSAID';

  constructor(code: HomeError['code'], message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

export function surroundings(): HomeSurroundings {
  return {
    environment: process.env,
    userId: process.getuid?.() ?? -1,
    userFolder: homedir(),
    isWritable,
  };
}

function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false; // The only thing asked: whatever is in the way, it is not for us to write.
  }
}

/**
 * Says where the home is: the flag, else `VERTEBRA_HOME`, else what systemd gave the service, else
 * `/var/lib/vertebra` where that is ours to write (or we are root's service), else the user's data
 * folder (XDG Base Directory Specification).
 */
export function findHome(flag: string | undefined, around = surroundings()): Home {
  const { environment } = around;
  const said = flag ?? (environment['VERTEBRA_HOME'] || undefined);
  if (said !== undefined) return homeAt(said);
  const state = environment['STATE_DIRECTORY']?.split(':')[0];
  if (state) return homeAt(state);
  const isService = around.userId === 0 && environment['INVOCATION_ID'] !== undefined;
  if (isService || around.isWritable(SERVICE_HOME)) return homeAt(SERVICE_HOME);
  const data = environment['XDG_DATA_HOME'];
  return homeAt(
    join(data?.startsWith('/') ? data : join(around.userFolder, '.local/share'), 'vertebra'),
  );
}

export function homeAt(folder: string): Home {
  const absolute = resolve(folder);
  return {
    folder: absolute,
    keyFile: join(absolute, 'participant.key'),
    configFile: join(absolute, 'vertebra.toml'),
    worldsFolder: join(absolute, 'worlds'),
  };
}

/** @throws HomeError WORLD_NAME */
export function worldAt(home: Home, name: string): WorldHome {
  if (!WORLD_NAME.test(name)) {
    throw new HomeError(
      'WORLD_NAME',
      `${JSON.stringify(name)} cannot name a World: take at most 48 of a-z, 0-9, - and _, ` +
        'beginning with a letter or digit.',
    );
  }
  const folder = join(home.worldsFolder, name);
  return {
    name,
    folder,
    secretFile: join(folder, 'world.secret'),
    avatarKeyFile: join(folder, 'avatar.key'),
    databaseFile: join(folder, 'world.db'),
    lockFile: join(folder, 'agent.lock'),
    agentFile: join(folder, 'agent.json'),
    socketFile: socketFileOf(folder),
  };
}

/**
 * The socket lies beside the database. Where that path is too long for a socket, it lies in a
 * folder of this user's own, under a name that is the hash of the path; `agent.json` says where.
 */
export function socketFileOf(worldFolder: string, around = surroundings()): string {
  const near = join(worldFolder, 'agent.sock');
  if (Buffer.byteLength(near) <= SOCKET_PATH_BYTES_MAX) return near;
  const hash = createHash('sha256').update(worldFolder).digest('hex').slice(0, 16);
  const runtime = around.environment['XDG_RUNTIME_DIR'];
  const base = runtime?.startsWith('/') && runtime.length <= 60 ? runtime : tmpdir();
  return join(base, `vertebra-${around.userId}`, `${hash}.sock`);
}

/** Makes a home's folders, for nobody else to read. There already: nothing happens. */
export function makeHome(home: Home): void {
  makeFolder(home.folder);
  makeFolder(home.worldsFolder);
}

/** As `makeHome`, for one World. */
export function makeWorldHome(world: WorldHome): void {
  makeFolder(world.folder);
}

function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: OWNER_ONLY_MODE });
  } catch (cause) {
    const system = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown';
    const mend = 'Name another with --home DIR, or make it writable for this user.';
    const message = `${folder} cannot be made (${system}). ${mend}`;
    throw new HomeError('HOME_UNWRITABLE', message, { cause });
  }
}

/** Names of the Worlds that this home is a member of, in order. */
export function worldNames(home: Home): string[] {
  if (!existsSync(home.worldsFolder)) return [];
  return readdirSync(home.worldsFolder)
    .filter((name) => WORLD_NAME.test(name) && existsSync(worldAt(home, name).secretFile))
    .sort();
}

/**
 * The World that is meant: the named one, else the only one.
 * @throws HomeError WORLD_NAME, WORLD_UNKNOWN, WORLD_UNSAID
 */
export function chooseWorld(home: Home, name: string | undefined): WorldHome {
  const names = worldNames(home);
  if (name !== undefined) {
    const world = worldAt(home, name);
    if (names.includes(name)) return world;
    const known = names.length === 0 ? 'none' : names.join(', ');
    throw new HomeError('WORLD_UNKNOWN', `${home.folder} has no World ${name} (it has: ${known}).`);
  }
  const [only, ...others] = names;
  if (only === undefined) {
    throw new HomeError(
      'WORLD_UNKNOWN',
      `${home.folder} is in no World yet. Run: vertebra world create NAME --secret-file FILE, ` +
        'or world join NAME --secret-file FILE.',
    );
  }
  if (others.length === 0) return worldAt(home, only);
  const list = names.join(', ');
  throw new HomeError('WORLD_UNSAID', `Which World? Name one with --world: ${list}.`);
}
