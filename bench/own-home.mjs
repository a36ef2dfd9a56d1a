// Homes and Participants of ours, as every benchmark that runs them needs them.
import { join } from 'node:path';
import {
  createWorld,
  DEFAULT_CONFIG,
  homeAt,
  initHome,
  joinWorld,
  openLogger,
  openParticipant,
  worldAt,
} from '../build/index.js';

const WORLD = 'bench';

/** Makes homes that are members of one World. @returns their folders. */
export function makeHomes(folder, count) {
  const secretFile = join(folder, 'world.secret');
  return Array.from({ length: count }, (_, index) => {
    const name = `owner${index}`;
    const home = homeAt(join(folder, name));
    initHome(home, name);
    if (index === 0) createWorld(home, WORLD, secretFile);
    else joinWorld(home, WORLD, secretFile);
    return home.folder;
  });
}

export function databaseOf(homeFolder) {
  return worldAt(homeAt(homeFolder), WORLD).databaseFile;
}

/** @param settings What differs from the defaults. */
export function openHome(homeFolder, settings) {
  const home = homeAt(homeFolder);
  const log = openLogger({
    level: 'warn',
    format: 'human',
    lineBytesMax: 1024,
    wallMs: Date.now,
    write: (line) => process.stderr.write(line),
  });
  const config = { ...DEFAULT_CONFIG, ...settings };
  return openParticipant({ home, world: worldAt(home, WORLD), config, log });
}
