import { restore } from '../consensus/metablockchain.ts';
import { type AvatarKeys, Ed25519Verifier } from '../identity/index.ts';
import type { Kernel } from '../kernel/kernel.ts';
import { toHex32 } from '../model/bytes.ts';
import type { Priority } from '../model/pact.ts';
import type { PayloadLimits } from '../model/payload.ts';
import type { PactId } from '../model/sync-group.ts';
import type { Store } from '../ports/store.ts';
import { createBuiltInPacts } from '../schema/built-in.ts';
import { createPactReader } from '../schema/pact-reader.ts';
import { openStore } from '../storage/open-store.ts';
import { refuseRetired } from './avatar-change.ts';
import type { Config } from './config.ts';
import type { Core } from './core.ts';
import { KnownForks } from './known-forks.ts';
import type { Logger } from './log.ts';
import { RefusedLogs } from './refused-logs.ts';
import { restoreDurable, restoreRegistry, restoreTips } from './restoring.ts';
import { SystemClock } from './system-clock.ts';
import type { Memory } from './turn.ts';

/** What any Participant of a World accepts: part of the format, so the same for all. */
export const PAYLOAD_LIMITS: PayloadLimits = {
  payloadBytesMax: 64 * 1024 * 1024,
  entriesMax: 1_000_000,
  entryBytesMax: 64 * 1024 * 1024,
};

export interface CoreOptions {
  readonly databaseFile: string;
  readonly config: Config;
  readonly log: Logger;
  readonly avatar: AvatarKeys;
  readonly kernel: Kernel;
}

/**
 * Opens the database and gathers what every part of the Participant works with. @throws StoreError
 */
export function openCore(options: CoreOptions): Core {
  const { config, log, avatar, kernel, databaseFile } = options;
  const hash = (message: Uint8Array) => kernel.hasher.hash(message);
  // By the format and not by a setting: others may permit themselves longer Entries than we push.
  const reader = createPactReader({ hash, entryBytesMax: PAYLOAD_LIMITS.entryBytesMax });
  const verifier = new Ed25519Verifier();
  const self = toHex32(avatar.id);
  const store = openStore({ file: databaseFile, hash, config });
  refuseRetired(store, self, databaseFile);
  const builtIn = createBuiltInPacts(hash);
  store.transaction(() => {
    for (const pact of Object.values(builtIn)) store.putPact(pact);
  });
  return {
    self,
    config,
    log,
    timers: new SystemClock(),
    store,
    hash,
    packer: kernel.packer,
    signer: avatar.signer,
    verifier,
    reader,
    limits: PAYLOAD_LIMITS,
    consensus: {
      self,
      signer: avatar.signer,
      verifier,
      hash,
      conflicts: kernel.conflicts,
      settings: config,
      priorityOf: priorityIn(store),
    },
    builtIn,
  };
}

/** What Pacts say never changes: each is looked up once. */
function priorityIn(store: Store): (pact: PactId) => Priority {
  const known = new Map<PactId, Priority>();
  return (id) => {
    if (!known.has(id)) for (const { pact } of store.pacts()) known.set(pact.id, pact.priority);
    return known.get(id) ?? 'normal';
  };
}

/** Reads back what is known and promised. */
export function restoreMemory(core: Core): Memory {
  const registry = restoreRegistry(core);
  const groups = registry.allGroups();
  const nowMs = core.timers.monotonicMs();
  const forks = new KnownForks();
  for (const record of core.store.forks()) forks.set(record);
  return {
    registry,
    forks,
    refused: new RefusedLogs(),
    tips: restoreTips(core.store, groups),
    waiting: [],
    consensus: restore(core.consensus, restoreDurable(core.store, groups), nowMs),
  };
}
