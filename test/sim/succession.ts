import type { ConsensusEffect } from '../../src/consensus/events.ts';
import { type Block, isHandOver } from '../../src/model/block.ts';
import { equalBytes } from '../../src/model/bytes.ts';
import {
  checkHandOver,
  decodeHandOver,
  encodeHandOver,
  type HandOver,
} from '../../src/model/hand-over.ts';
import { type GroupOrigin, makeSuccessor, type SyncGroup } from '../../src/model/sync-group.ts';
import { blockMessage } from './exchange.ts';
import { keyedVerifier, sha256 } from './keyed-signer.ts';
import type { SimNode } from './node.ts';

type Finalize = Extract<ConsensusEffect, { kind: 'finalize' }>;

/**
 * Sync Groups of a simulated Participant that end and go on as others: as `Succeeding` of the
 * production code, over the durable store of the simulation.
 */
export class Succession {
  private readonly node: SimNode;
  /** What the core and the peers have to hear after the commit. */
  private readonly begun: SyncGroup[] = [];
  private readonly issued: Block[] = [];

  constructor(node: SimNode) {
    this.node = node;
  }

  clear(): void {
    this.begun.length = 0;
    this.issued.length = 0;
  }

  /** May the payload of this Block be what its header says? Of Entries nothing is simulated. */
  judge(group: SyncGroup, block: Block, payload: Uint8Array | undefined): boolean {
    if (!isHandOver(block)) return true;
    if (payload === undefined || !equalBytes(sha256(payload), block.merkleRoot)) return false;
    const read = decodeHandOver(payload);
    if (!read.ok) return false;
    if (!this.node.around.judgesApprovals) return true;
    return (
      checkHandOver((...signed) => keyedVerifier.verify(...signed), group, read.value) === null
    );
  }

  /** Where a group stands now: itself, or the last one that it goes on as. */
  latest(group: SyncGroup): SyncGroup {
    const next = this.node.store.ended.get(group.id);
    return next == null ? group : this.latest(next);
  }

  /** A Quorum's approvals have come, durably. */
  approve(handOver: HandOver): void {
    const { approved } = this.node.store;
    const { group } = handOver.succession;
    if (!approved.has(group)) approved.set(group, handOver);
    this.handOverIfDue();
  }

  /** Issues the hand-over Block of each group that is due, once. */
  handOverIfDue(): void {
    const { node } = this;
    for (const [id, handOver] of node.store.approved) {
      if (node.state === null) return;
      const group = node.store.groups.find((each) => each.id === id);
      if (group === undefined || !group.owners.includes(node.id)) continue;
      if (node.store.ended.has(id)) continue;
      if (node.store.causalGroup(id, node.id).some(isHandOver)) continue;
      const payload = encodeHandOver(handOver);
      const block = node.makeBlock(group, { entryCount: 0, payload });
      node.store.payloads.set(block.id, payload);
      node.publish(block);
    }
  }

  /** Within the commit that makes something final. */
  onFinal({ blocks, head }: Finalize): void {
    const last = blocks.at(-1);
    if (last === undefined || !isHandOver(last)) return;
    const { store } = this.node;
    const group = store.groups.find((each) => each.id === head.group)!;
    if (!store.retired.has(group.id)) store.ended.set(group.id, null);
    this.onPayload(group, last);
  }

  /** A hand-over that is final, once it can be read. */
  onPayload(group: SyncGroup, block: Block): void {
    const { node } = this;
    const { store } = node;
    const payload = store.payloads.get(block.id);
    const isFinal = store.blocks.get(block.id)?.isFinal === true;
    if (!isHandOver(block) || payload === undefined || !isFinal) return;
    if (store.ended.get(group.id) !== null) return;
    const read = decodeHandOver(payload);
    if (!read.ok) return;
    const sequence = store.lastSequence(group.id);
    const origin = { kind: 'hand-over', group: group.id, at: block.id, sequence } as const;
    const successor = this.begin(group, origin, read.value.succession);
    if (node.liar === null) {
      node.around.checker.onSuccession(node.id, { group, block, successor }, read.value);
    }
  }

  /** The operator goes on alone, without the others. */
  split(group: SyncGroup): void {
    const { node } = this;
    const { store } = node;
    if (node.state === null || store.ended.has(group.id)) return;
    const at = store.heads.get(group.id)?.metablock ?? null;
    const sequence = store.lastSequence(group.id);
    store.retired.add(group.id);
    const { quorumPolicy, availability } = group;
    const next = { owners: [node.id], quorumPolicy, availability };
    this.begin(group, { kind: 'split', group: group.id, at, sequence }, next);
    node.feed({ kind: 'retire', group: group.id }, null);
    this.follow();
  }

  private begin(
    group: SyncGroup,
    origin: GroupOrigin,
    next: Parameters<typeof makeSuccessor>[3],
  ): SyncGroup {
    const { node } = this;
    const { store, around } = node;
    const successor = makeSuccessor(sha256, group.pact, origin, next);
    store.putGroup(successor);
    store.ended.set(group.id, successor);
    this.begun.push(successor);
    around.onGroup(successor);
    if (!successor.owners.includes(node.id)) return successor;
    const own = store.causalGroup(group.id, node.id).filter((each) => each !== undefined);
    for (const block of own) {
      if (isHandOver(block) || store.blocks.get(block.id)?.isFinal === true) continue;
      const moved = node.makeBlock(successor, { entryCount: 1, payload: null });
      store.stack(moved, true);
      around.onBlock(moved);
      if (node.liar === null) around.onMoved(block, moved);
      this.issued.push(moved);
    }
    return successor;
  }

  /** After the commit: core and peers hear of it. */
  follow(): void {
    const { node } = this;
    for (const group of this.begun.splice(0)) {
      if (group.owners.length > 1) node.feed({ kind: 'group', group }, null);
    }
    for (const block of this.issued.splice(0)) {
      if (node.state === null) return;
      node.relay(blockMessage(node.store, block.id)!, null);
      node.hand(block);
    }
  }
}
