import { createHash } from 'node:crypto';
import { existsSync, renameSync } from 'node:fs';
import {
  createSecretFile,
  deriveAvatar,
  loadSecretFile,
  SEED_BYTES,
  Secret,
  type Secret as SecretType,
} from '../identity/index.ts';
import { toHex32 } from '../model/bytes.ts';
import type { AvatarId, GroupId } from '../model/sync-group.ts';
import { openStore } from '../storage/open-store.ts';
import { isCloned, putSuccessor, successorOf } from './avatar-change.ts';
import type { Config } from './config.ts';
import type { Home, WorldHome } from './home.ts';
import { WorldLease } from './lease.ts';
import { loadKeys } from './membership.ts';

/** What adopting a log did. */
export interface AdoptReport {
  /** Never to be used again. */
  readonly retired: AvatarId;
  readonly avatar: AvatarId;
  /** Where the new key is, mode 0600. */
  readonly keyFile: string;
  /** Sync Groups of several owners in which the new Avatar is to take the old one's place. */
  readonly groups: readonly {
    readonly group: GroupId;
    readonly pact: string;
    readonly others: readonly AvatarId[];
  }[];
}

/** Nothing calls for another Avatar. */
export class AdoptError extends Error {
  override readonly name = 'AdoptError';
  readonly code = 'ADOPT_NEEDLESS';
}

/**
 * Takes what stands in this World's database over as history, and goes on under a new Avatar: for a
 * device that found its own log further along elsewhere. Interrupted, it is done again.
 *
 * The new seed is on disk before the database names its Avatar, and the database refuses the old
 * one before the new file takes its place: at no moment may both speak.
 *
 * @param isForced Also where nothing of our own came from elsewhere.
 * @throws LeaseError while an agent runs; AdoptError, IdentityError, StoreError
 */
export function adoptLog(options: {
  readonly home: Home;
  readonly world: WorldHome;
  readonly config: Config;
  readonly isForced: boolean;
}): AdoptReport {
  const { home, world, config } = options;
  const lease = WorldLease.take(world);
  try {
    const keys = loadKeys(home, world);
    const hash = (bytes: Uint8Array) => new Uint8Array(createHash('sha256').update(bytes).digest());
    const store = openStore({ file: world.databaseFile, hash, config });
    try {
      const avatarOf = (seed: SecretType) => toHex32(deriveAvatar(seed, keys.world).id);
      const retired = avatarOf(keys.seed);
      const isBegun = successorOf(store) !== null && successorOf(store) !== retired;
      if (!isBegun && !isCloned(store) && !options.isForced) {
        throw new AdoptError(
          `Nothing of Avatar ${retired.slice(0, 12)} came from elsewhere, so it may go on. If ` +
            'this home is a copy of another that runs, say so with --force.',
        );
      }
      const file = `${world.avatarKeyFile}.new`;
      if (!existsSync(file)) createSecretFile(file, 'participant', Secret.random(SEED_BYTES));
      const avatar = avatarOf(loadSecretFile(file, 'participant'));
      store.transaction(() => putSuccessor(store, avatar));
      renameSync(file, world.avatarKeyFile);
      const names = new Map(store.pacts().map(({ pact }) => [pact.id, pact.name]));
      const shared = store
        .groups()
        .filter(({ owners }) => owners.length > 1 && owners.includes(retired));
      const groups = shared.map(({ id, pact, owners }) => ({
        group: id,
        pact: names.get(pact) ?? 'unknown',
        others: owners.filter((owner) => owner !== retired),
      }));
      return { retired, avatar, keyFile: world.avatarKeyFile, groups };
    } finally {
      store.close();
    }
  } finally {
    lease.release();
  }
}
