import { describe, type GroupDescription } from '../consensus/metablockchain.ts';
import type { Gossip } from '../gossip/contract.ts';
import { deriveQuorum, type GroupId, groupNumberOf, type SyncGroup } from '../model/sync-group.ts';
import type { PactRecord } from '../ports/store.ts';
import type { DagNode, DagReport, GroupReport, PactReport } from './face.ts';
import type { Issuing } from './issuing.ts';
import { type LineParts, reportLine } from './report-line.ts';

export interface ReportParts extends LineParts {
  readonly gossip: Gossip;
  readonly issuing: Issuing;
}

export function reportPact(record: PactRecord): PactReport {
  const { pact, table } = record;
  const { id, name, key, fields, definition, quorumPolicy: quorum } = pact;
  const { availability, priority } = pact;
  return { id, name, table, quorum, availability, priority, key, fields, definition };
}

export function reportGroups(parts: ReportParts): GroupReport[] {
  const described = new Map(
    describe(parts.memory.consensus).map((each) => [each.group, each] as const),
  );
  return parts.memory.registry
    .allGroups()
    .map((group) => reportGroup(parts, group, described.get(group.id)));
}

export function reportGroup(
  parts: ReportParts,
  group: SyncGroup,
  state: GroupDescription | undefined,
): GroupReport {
  const { core, memory, directory, issuing } = parts;
  const outlet = issuing.outletOf(group.id);
  const line = reportLine(parts, group);
  // Where it ended, nothing is on its way any more and nobody is waited for.
  const open = line.ended === null ? state : undefined;
  const extent = core.store.cuts.extent(group.id);
  return {
    id: group.id,
    number: groupNumberOf(group.id),
    pact: memory.registry.pact(group.pact)?.name ?? group.pact,
    owners: group.owners.map((avatar) => ({ avatar, name: directory.nameOf(avatar) })),
    own: group.owners.includes(core.self),
    quorum: deriveQuorum(group.owners.length, group.quorumPolicy),
    quorumPolicy: group.quorumPolicy,
    availability: group.availability,
    ...line,
    ballot: state?.ballot ?? 0,
    finalizedLevel: state?.finalizedLevel ?? -1,
    highestCertified: state?.highestCertified ?? -1,
    highestFinalizable: state?.highestFinalizable ?? -1,
    lastSequence: extent.last,
    firstSequence: extent.first,
    retainedBytes: extent.bytes - extent.bytesBelow,
    pendingBlocks: open?.pendingBlocks ?? 0,
    bufferedEntries: outlet?.buffer.entryCount ?? 0,
    awaited: (open?.awaited ?? []).map((avatar) => directory.labelOf(avatar)),
    alarm: state?.alarm ?? null,
  };
}

/** The last Generations: finalized Metablocks of every chain, and what is open above them. */
export function reportDag(parts: ReportParts, limit: number): DagReport {
  const { core, memory } = parts;
  const nodes = new Map<string, DagNode>();
  const open = new Set(core.store.openMetablocks().map((each) => each.id));
  const finalized = new Set<string>();
  for (const group of memory.registry.allGroups()) {
    const head = core.store.finalizedHead(group.id);
    if (head === null) continue;
    const from = Math.max(0, head.level - limit + 1) as typeof head.level;
    for (const record of core.store.chain(group.id, from, limit)) {
      open.add(record.metablock);
      finalized.add(record.metablock);
    }
  }
  const heads = new Set(describe(memory.consensus).map((each) => each.head?.metablock));
  for (const id of open) {
    const metablock = core.store.metablock(id);
    if (metablock === null) continue;
    nodes.set(id, {
      id,
      generation: metablock.generation,
      issuer: parts.directory.labelOf(metablock.issuer),
      predecessors: metablock.predecessors,
      blocks: metablock.blocks.length,
      state: finalized.has(id) ? 'finalized' : heads.has(id) ? 'finalizable' : 'prepared',
      groups: metablock.predecessors.map((each) => labelGroup(parts, each.group)),
      certificates: core.store.certificates(id).length,
    });
  }
  const sorted = [...nodes.values()].sort((a, b) => a.generation - b.generation);
  const last = sorted.at(-1)?.generation ?? 0;
  return { nodes: sorted.filter((each) => each.generation > last - limit) };
}

function labelGroup(parts: ReportParts, id: GroupId): string {
  const group = parts.memory.registry.group(id);
  const pact = group === undefined ? undefined : parts.memory.registry.pact(group.pact);
  return `${pact?.name ?? 'unknown'}#${id.slice(0, 6)}`;
}
