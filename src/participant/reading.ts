import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { openStoreReadOnly, type ReadOnlyStore } from '../storage/open-store.ts';
import { HomeError, type WorldHome } from './home.ts';

/**
 * Opens the database of a World for reading, whether or not an agent runs.
 * @throws HomeError WORLD_UNKNOWN where no agent ever ran; StoreError
 */
export function readWorld(world: WorldHome): ReadOnlyStore {
  return openStoreReadOnly({
    file: databaseOf(world),
    hash: (bytes) => Uint8Array.from(createHash('sha256').update(bytes).digest()),
  });
}

/** @throws HomeError WORLD_UNKNOWN where no agent ever ran */
export function databaseOf(world: WorldHome): string {
  if (existsSync(world.databaseFile)) return world.databaseFile;
  const message = `${world.databaseFile} does not exist yet. Run the agent once: vertebra run`;
  throw new HomeError('WORLD_UNKNOWN', message);
}
