import type { DurableState, FinalizedHead } from '../consensus/events.ts';
import { type CausalTip, CausalTips } from '../dataflow/block-stack.ts';
import { concatBytes, fromHex, ID_BYTES, toHex32 } from '../model/bytes.ts';
import type { Certificate } from '../model/certificate.ts';
import type { MetablockId } from '../model/metablock.ts';
import type { CausalSequence } from '../model/numbers.ts';
import type { AvatarId, GroupId, SyncGroup } from '../model/sync-group.ts';
import type { Store } from '../ports/store.ts';
import type { Core } from './core.ts';
import { Registry } from './registry.ts';
import { splitSetting } from './succession-entries.ts';

/** Reads back what is known: Pacts and Sync Groups. */
export function restoreRegistry(core: Core): Registry {
  const registry = new Registry();
  for (const { pact } of core.store.pacts()) registry.addPact(pact);
  for (const group of core.store.groups()) {
    registry.addGroup(group);
    if (core.store.handOver(group.id) !== null) {
      const issuers = core.store.finalFrontier(group.id);
      registry.close(group.id, { kind: 'hand-over', issuers });
    } else if (core.store.setting(splitSetting(group.id)) !== null) {
      registry.close(group.id, { kind: 'split' });
    }
  }
  return registry;
}

export function restoreTips(store: Store, groups: readonly SyncGroup[]): CausalTips {
  const tips = new CausalTips();
  for (const group of groups) {
    for (const { issuer, sequence, block } of store.frontier(group.id)) {
      tips.set(group.id, issuer, { sequence, block });
    }
  }
  return tips;
}

/** Reads back what the Metablockchain promised and knew. @source consensus.md 7. */
export function restoreDurable(store: Store, groups: readonly SyncGroup[]): DurableState {
  const shared = groups.filter((group) => group.owners.length > 1);
  const metablocks = store.openMetablocks();
  const certificates: Certificate[] = [];
  for (const { id } of metablocks) certificates.push(...store.certificates(id));
  return {
    groups: shared,
    retired: shared.flatMap(({ id }) => (store.setting(splitSetting(id)) === null ? [] : [id])),
    votes: store.votes(),
    heads: shared.flatMap((group) => restoreHead(store, group)),
    alarms: new Map(shared.flatMap((group) => restoreAlarm(store, group.id))),
    forks: store.forks().map(({ proof: { group, author, sequence }, lowered }) => {
      return { group, issuer: author, lastGood: (sequence - 1) as CausalSequence, lowered };
    }),
    metablocks,
    certificates,
    blocks: shared.flatMap((group) =>
      store.pendingBlocks(group.id).map(({ block, held }) => ({ block, held })),
    ),
  };
}

/** The loudest alarm there is outlasts every restart: two final rivals of one group. */
export function putAlarm(store: Store, group: GroupId, metablocks: readonly MetablockId[]): void {
  store.putSetting(alarmName(group), concatBytes(...metablocks.map(fromHex)));
}

function restoreAlarm(store: Store, group: GroupId): [GroupId, MetablockId[]][] {
  const bytes = store.setting(alarmName(group));
  if (bytes === null) return [];
  const count = bytes.length / ID_BYTES;
  const idAt = (index: number) => toHex32(bytes.subarray(index * ID_BYTES, (index + 1) * ID_BYTES));
  return [[group, Array.from({ length: count }, (_, index) => idAt(index))]];
}

function alarmName(group: GroupId): string {
  return `alarm/${group}`;
}

function restoreHead(store: Store, group: SyncGroup): FinalizedHead[] {
  const head = store.finalizedHead(group.id);
  if (head === null) return [];
  const issuers = new Map<AvatarId, CausalTip>();
  for (const { issuer, sequence, block } of store.finalFrontier(group.id)) {
    issuers.set(issuer, { sequence, block });
  }
  const handOver = store.handOver(group.id);
  return [{ group: group.id, metablock: head.metablock, level: head.level, issuers, handOver }];
}
