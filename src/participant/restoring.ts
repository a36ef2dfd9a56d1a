import type { DurableState, FinalizedHead } from '../consensus/events.ts';
import { type CausalTip, CausalTips } from '../dataflow/block-stack.ts';
import type { Certificate } from '../model/certificate.ts';
import type { AvatarId, SyncGroup } from '../model/sync-group.ts';
import type { Store } from '../ports/store.ts';
import type { Core } from './core.ts';
import { Registry } from './registry.ts';

/** Reads back what is known: Pacts and Sync Groups. */
export function restoreRegistry(core: Core): Registry {
  const registry = new Registry();
  for (const { pact } of core.store.pacts()) registry.addPact(pact);
  for (const group of core.store.groups()) registry.addGroup(group);
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
    votes: store.votes(),
    heads: shared.flatMap((group) => restoreHead(store, group)),
    metablocks,
    certificates,
    blocks: shared.flatMap((group) =>
      store.pendingBlocks(group.id).map(({ block, held }) => ({ block, held })),
    ),
  };
}

function restoreHead(store: Store, group: SyncGroup): FinalizedHead[] {
  const head = store.finalizedHead(group.id);
  if (head === null) return [];
  const issuers = new Map<AvatarId, CausalTip>();
  for (const { issuer, sequence, block } of store.finalFrontier(group.id)) {
    issuers.set(issuer, { sequence, block });
  }
  return [{ group: group.id, metablock: head.metablock, level: head.level, issuers }];
}
