import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Errors } from 'typebox/schema';
import { BoardError } from '../ports/board.ts';
import type { BoardProfile } from '../ports/board-profile.ts';
import { PROFILE_SCHEMA } from './profile-schema.ts';

const BOARDS_FOLDER = fileURLToPath(new URL('../../boards', import.meta.url));
const TEXT_BYTES_MAX = 4096;

/** @throws BoardError BOARD_UNKNOWN where the text is no profile; says what is wrong with it. */
export function parseProfile(name: string, text: string): BoardProfile {
  const value: unknown = JSON.parse(text);
  const [holds, errors] = Errors(PROFILE_SCHEMA, value);
  if (holds) return value as BoardProfile;
  const [first] = errors;
  const where = `${first?.instancePath ?? ''} ${first?.message ?? ''}`;
  throw new BoardError('BOARD_UNKNOWN', `${name} is no board profile: ${where}.`);
}

/** Every profile in `boards/`, by id. */
export function loadProfiles(folder = BOARDS_FOLDER): BoardProfile[] {
  const names = readdirSync(folder).filter((name) => name.endsWith('.json'));
  return names.sort().map((name) => parseProfile(name, readFileSync(join(folder, name), 'utf8')));
}

/** What the machine says of itself. */
export interface DeviceTree {
  readonly model: string;
  readonly compatible: readonly string[];
}

/**
 * Reads the device tree; its texts end with a zero byte.
 *
 * @param root Where `/proc` is.
 * @returns null where there is none, as on a PC.
 */
export function readDeviceTree(root = '/'): DeviceTree | null {
  const read = (name: string): string[] => {
    const bytes = readFileSync(join(root, 'proc/device-tree', name));
    const parts = bytes.subarray(0, TEXT_BYTES_MAX).toString('utf8').split('\0');
    return parts.filter((part) => part !== '');
  };
  try {
    return { model: read('model').join(' '), compatible: read('compatible') };
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return null;
    throw cause;
  }
}

/**
 * The profile of this machine: by its model, else by an entry of `compatible`, which an image with
 * a changed model text still has.
 */
export function detectProfile(
  tree: DeviceTree | null,
  profiles: readonly BoardProfile[],
): BoardProfile | null {
  if (tree === null) return null;
  const known = profiles.filter((each) => each.detect !== null);
  return (
    known.find((each) => new RegExp(each.detect!.model).test(tree.model)) ??
    known.find((each) => tree.compatible.includes(each.detect!.compatible)) ??
    null
  );
}

/**
 * The profile that is meant: `auto` is what the device tree says, else an id of `boards/`.
 *
 * @throws BoardError BOARD_UNKNOWN
 */
export function chooseProfile(choice: string, root = '/'): BoardProfile {
  const profiles = loadProfiles();
  const ids = profiles.map(({ id }) => id).join(', ');
  if (choice !== 'auto') {
    const chosen = profiles.find(({ id }) => id === choice);
    if (chosen !== undefined) return chosen;
    throw new BoardError('BOARD_UNKNOWN', `There is no board ${choice}. There are: ${ids}.`);
  }
  const tree = readDeviceTree(root);
  const found = detectProfile(tree, profiles);
  if (found !== null) return found;
  const what =
    tree === null ? 'This machine has no device tree' : `No profile is for ${tree.model}`;
  const mend = `Set board in vertebra.toml to one of: ${ids} (virtual: pins in memory only).`;
  throw new BoardError('BOARD_UNKNOWN', `${what}, so its pins are not known. ${mend}`);
}
