import { existsSync, statfsSync, statSync } from 'node:fs';
import { loadConfig } from './config-file.ts';
import type { Home, WorldHome } from './home.ts';
import { retentionOf } from './retaining.ts';

/** From here on a disk is roomy enough for a database of any size, in bytes. */
const ROOMY_BYTES = 8 * 1024 * 1024 * 1024;

/** As `Finding` of the doctor, who asks. */
interface RetentionFinding {
  readonly check: string;
  readonly state: 'ok' | 'note';
  readonly found: string;
  readonly mend: string | null;
}

/** Does the database grow for ever on a disk that has not much more room than it takes already? */
export async function checkRetention(
  world: WorldHome,
  options: {
    readonly home: Home;
    readonly environment: Readonly<Record<string, string | undefined>>;
  },
): Promise<RetentionFinding> {
  const check = `${world.name}: retention`;
  const fine = (found: string): RetentionFinding => ({ check, state: 'ok', found, mend: null });
  if (!existsSync(world.databaseFile)) return fine('nothing to keep yet');
  const { readWorld } = await import('./reading.ts');
  const { home, environment } = options;
  const config = loadConfig({ file: home.configFile, environment });
  const store = readWorld(world);
  try {
    const unlimited = store
      .pacts()
      .map(({ pact }) => pact)
      .filter((pact) => !pact.name.startsWith('vertebra_') && retentionOf(config, pact) === null)
      .map(({ name }) => name);
    if (unlimited.length === 0) return fine('every Pact has bounds');
    const { bavail, bsize } = statfsSync(world.folder);
    const freeBytes = bavail * bsize;
    const takenBytes = statSync(world.databaseFile).size;
    const found = `all is kept of ${unlimited.slice(0, 5).join(', ')}`;
    if (freeBytes >= Math.min(ROOMY_BYTES, takenBytes * 4 + ROOMY_BYTES / 16)) return fine(found);
    const mend = 'Say how much: retention = "own" and retention_count in vertebra.toml.';
    return { check, state: 'note', found: `${found}, and the disk fills`, mend };
  } finally {
    store.close();
  }
}
