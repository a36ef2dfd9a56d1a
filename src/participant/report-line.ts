import { deriveQuorum, type SyncGroup } from '../model/sync-group.ts';
import type { Core } from './core.ts';
import type { Directory } from './directory.ts';
import type { ApprovalReport, GroupReport, LineReport } from './face.ts';
import type { Succeeding } from './succeeding.ts';
import type { Memory } from './turn.ts';

export interface LineParts {
  readonly core: Core;
  readonly memory: Memory;
  readonly directory: Directory;
  readonly succeeding: Succeeding;
}

/** How a Sync Group came to be, how it ends or ended, and what its owners approve of. */
export function reportLine(
  parts: LineParts,
  group: SyncGroup,
): Pick<GroupReport, 'ended' | 'predecessor' | 'successors' | 'approvals' | 'leftBlocks'> {
  const { core, memory } = parts;
  const closure = memory.registry.closure(group.id);
  return {
    ended: closure?.kind ?? null,
    predecessor: group.origin === null ? null : reportLink(parts, group, group.origin.group),
    successors: memory.registry
      .successors(group.id)
      .map((next) => reportLink(parts, next, next.id)),
    approvals: closure === undefined ? reportApprovals(parts, group) : [],
    leftBlocks: closure?.kind === 'hand-over' ? core.store.pendingBlocks(group.id).length : 0,
  };
}

/** @param successor The later of the two groups that are linked. @param named The one to name. */
function reportLink(
  { directory, succeeding }: LineParts,
  successor: SyncGroup,
  named: LineReport['group'],
): LineReport {
  const kind = successor.origin?.kind ?? 'hand-over';
  const splits = succeeding.splits.get(successor.origin?.group ?? named) ?? [];
  const by = splits
    .filter((each) => each.successor === successor.id)
    .map((each) => ({ owner: directory.labelOf(each.by), atMs: each.atMs }));
  return { group: named, kind, by };
}

function reportApprovals({ directory, succeeding }: LineParts, group: SyncGroup): ApprovalReport[] {
  return succeeding.approvals.of(group).map(({ succession, approvals }) => {
    const approved = new Set(approvals.map(({ owner }) => owner));
    return {
      owners: succession.owners.map((owner) => directory.labelOf(owner)),
      quorum: succession.quorumPolicy,
      availability: succession.availability,
      approved: [...approved].map((owner) => directory.labelOf(owner)),
      awaited: group.owners
        .filter((owner) => !approved.has(owner))
        .map((owner) => directory.labelOf(owner)),
      needed: deriveQuorum(group.owners.length, group.quorumPolicy),
    };
  });
}
