import type { Block, BlockId } from '../model/block.ts';
import { isHandOver } from '../model/block.ts';
import { fromHex } from '../model/bytes.ts';
import { decodeHandOver, encodeSuccession, type Succession } from '../model/hand-over.ts';
import { invariant } from '../model/invariant.ts';
import type { EntrySequence } from '../model/numbers.ts';
import type { EntryValue } from '../model/pact.ts';
import {
  type AvatarId,
  deriveQuorum,
  type GroupId,
  type GroupOrigin,
  makeSuccessor,
  type SyncGroup,
} from '../model/sync-group.ts';
import type { DecodedEntries } from '../ports/store.ts';
import { Approvals } from './approvals.ts';
import type { Core } from './core.ts';
import type { Deciding } from './deciding.ts';
import type { Issuing } from './issuing.ts';
import { readSplit, readSuccession, type Split, splitSetting } from './succession-entries.ts';
import type { Turn } from './turn.ts';

/** Approvals and splits of one Avatar that are read back at a start. */
const RECALLED_MAX = 256;

/** Who took a Sync Group on without its Quorum, and when by their own clock. */
export interface SplitRecord {
  readonly successor: GroupId;
  readonly by: AvatarId;
  readonly atMs: number;
}

export interface SucceedingParts {
  readonly deciding: () => Deciding;
  readonly issuing: () => Issuing;
  readonly isHalted: () => boolean;
}

/**
 * Sync Groups that end and go on as others: gathers approvals, hands over when a Quorum approves,
 * makes the next group out of what is final, and takes along what the old one left unfinished.
 *
 * @source features A26, F18, F19.
 */
export class Succeeding {
  readonly approvals = new Approvals();
  /** By the group that was split; of each Avatar the first counts. */
  readonly splits = new Map<GroupId, SplitRecord[]>();
  private readonly core: Core;
  private readonly parts: SucceedingParts;
  /** Splits of groups that are not known yet. */
  private readonly early = new Map<AvatarId, Split[]>();

  constructor(core: Core, parts: SucceedingParts) {
    this.core = core;
    this.parts = parts;
  }

  /** After a start: what the built-in Pacts say is known again. */
  recall(turn: Turn): void {
    const { store, builtIn, reader } = this.core;
    const pacts = [builtIn.approval, builtIn.split];
    for (const group of turn.registry.allGroups()) {
      const pact = pacts.find((each) => each.id === group.pact);
      if (pact === undefined) continue;
      const last = store.lastSequence(group.id);
      const from = pact === builtIn.split ? 1 : Math.max(1, last - RECALLED_MAX + 1);
      for (const stored of store.entries(group.id, from as EntrySequence, RECALLED_MAX)) {
        const values = stored.bytes === null ? null : reader.codecOf(pact).decode(stored.bytes);
        const rows = values?.ok ? [values.value] : [];
        this.observe(turn, { pact: pact.id, rows }, stored.issuer);
      }
    }
    for (const group of turn.registry.allGroups()) this.handOverIfDue(turn, group);
  }

  /** Finalized Entries of the built-in Pacts; inside the turn's transaction. */
  observe(turn: Turn, entries: DecodedEntries, issuer: AvatarId): void {
    const { approval, split } = this.core.builtIn;
    for (const row of entries.rows) {
      if (entries.pact === approval.id) this.observeApproval(turn, row, issuer);
      if (entries.pact === split.id) this.observeSplit(turn, readSplit(row), issuer);
    }
  }

  /** A Sync Group became known: what came before it may concern it. */
  observeGroup(turn: Turn, group: SyncGroup): void {
    this.handOverIfDue(turn, group);
    for (const [issuer, splits] of this.early) {
      const meant = splits.filter((each) => each.succession.group === group.id);
      if (meant.length === 0) continue;
      this.early.set(
        issuer,
        splits.filter((each) => !meant.includes(each)),
      );
      for (const split of meant) this.observeSplit(turn, split, issuer);
    }
  }

  /** A hand-over Block is final: the group is over, and the next one begins where it is known. */
  observeHandOver(turn: Turn, group: SyncGroup, block: Block): void {
    const { store, log } = this.core;
    const issuers = store.finalFrontier(group.id);
    turn.registry.close(group.id, { kind: 'hand-over', issuers });
    const payload = store.payload(block.id);
    if (payload === null) {
      log.warn('group-ended', {
        group: group.id,
        reason: 'what it handed over to has to come yet',
      });
      return;
    }
    const read = decodeHandOver(payload);
    invariant(read.ok, 'a stacked hand-over was judged before it was stacked');
    const sequence = store.lastSequence(group.id);
    const origin = { kind: 'hand-over', group: group.id, at: block.id, sequence } as const;
    const successor = this.begin(turn, group, origin, read.value.succession);
    if (successor !== null) this.takeAlong(turn, group, successor);
  }

  private observeApproval(turn: Turn, row: readonly EntryValue[], owner: AvatarId): void {
    const succession = readSuccession(row);
    const signature = row[4];
    if (succession === null || !(signature instanceof Uint8Array)) return;
    const message = encodeSuccession(succession);
    if (!this.core.verifier.verify(fromHex(owner), message, signature)) {
      this.core.log.warn('approval-forged', { owner, group: succession.group });
      return;
    }
    this.approvals.put(owner, succession, signature);
    const group = turn.registry.group(succession.group);
    if (group !== undefined) this.handOverIfDue(turn, group);
  }

  /** Issues the hand-over Block where a Quorum approves, once, and this Participant is an owner. */
  private handOverIfDue(turn: Turn, group: SyncGroup): void {
    if (!group.owners.includes(this.core.self) || this.parts.isHalted()) return;
    if (turn.registry.closure(group.id) !== undefined || this.hasHandedOver(turn, group)) return;
    const quorum = deriveQuorum(group.owners.length, group.quorumPolicy);
    const [most] = this.approvals.of(group);
    if (most === undefined || most.approvals.length < quorum) return;
    this.parts.issuing().issueHandOver(turn, group, most);
    this.core.log.info('handing-over', { group: group.id, owners: most.succession.owners.length });
  }

  /** Is a hand-over Block of its own on its way already? Entries may have been pushed after it. */
  private hasHandedOver(turn: Turn, group: SyncGroup): boolean {
    if (turn.tips.tip(group.id, this.core.self) === null) return false;
    return this.core.store
      .pendingBlocks(group.id)
      .some(({ block }) => block.issuer === this.core.self && isHandOver(block));
  }

  private observeSplit(turn: Turn, split: Split | null, by: AvatarId): void {
    if (split === null) return;
    const { succession, head, sequence, atMs } = split;
    const group = turn.registry.group(succession.group);
    if (group === undefined) {
      const waiting = this.early.get(by) ?? [];
      if (waiting.length < RECALLED_MAX) this.early.set(by, [...waiting, split]);
      return;
    }
    const { log } = this.core;
    const known = this.splits.get(group.id) ?? [];
    if (known.some((each) => each.by === by)) return;
    if (!group.owners.includes(by) || sequence < (group.origin?.sequence ?? 0)) {
      log.warn('split-refused', { group: group.id, by });
      return;
    }
    const origin = { kind: 'split', group: group.id, at: head, sequence } as const;
    const successor = makeSuccessor(this.core.hash, group.pact, origin, succession);
    this.splits.set(group.id, [...known, { successor: successor.id, by, atMs }]);
    this.begin(turn, group, origin, succession);
    log.error('group-split', { group: group.id, by, successor: successor.id });
    if (by === this.core.self) this.leave(turn, group, successor);
  }

  /** The operator split the group here: it is over for this Participant, whatever others do. */
  private leave(turn: Turn, group: SyncGroup, successor: SyncGroup): void {
    const { store } = this.core;
    if (turn.registry.closure(group.id) !== undefined) return;
    store.putSetting(splitSetting(group.id), fromHex(successor.id));
    turn.registry.close(group.id, { kind: 'split' });
    this.parts.deciding().run(turn, { kind: 'retire', group: group.id });
    this.takeAlong(turn, group, successor);
  }

  /** @returns null where it is known already, or there is no room for it. */
  private begin(
    turn: Turn,
    group: SyncGroup,
    origin: GroupOrigin,
    succession: Succession,
  ): SyncGroup | null {
    const { hash, store, config, log } = this.core;
    const successor = makeSuccessor(hash, group.pact, origin, succession);
    if (turn.registry.group(successor.id) !== undefined) return null;
    if (turn.registry.groupCount >= config.groupsMax) {
      log.error('group-refused', { group: successor.id, reason: 'groupsMax reached' });
      return null;
    }
    store.putGroup(successor);
    turn.registry.addGroup(successor);
    const { owners } = successor;
    log.info('group-known', { id: successor.id, after: group.id, owners: owners.length });
    if (owners.length > 1) this.parts.deciding().run(turn, { kind: 'group', group: successor });
    this.observeGroup(turn, successor);
    return successor;
  }

  /**
   * Own Blocks that the old group never made final: their Entries go into the next one, in their
   * order, in this very transaction, so each once; or are said to be left behind.
   */
  private takeAlong(turn: Turn, group: SyncGroup, successor: SyncGroup): void {
    const { core } = this;
    const left = core.store
      .pendingBlocks(group.id)
      .filter(({ block }) => block.issuer === core.self && !isHandOver(block));
    const isOwner = successor.owners.includes(core.self) && !this.parts.isHalted();
    const moved = new Map<BlockId, BlockId>();
    if (isOwner) {
      for (const { block } of left) {
        const payload = core.store.payload(block.id);
        invariant(payload !== null, 'the Entries of an own Block are here');
        moved.set(block.id, this.parts.issuing().issueAgain(turn, successor, block, payload).id);
      }
    } else if (left.length > 0) {
      const entries = left.reduce((sum, { block }) => sum + block.entryCount, 0);
      core.log.error('entries-left-behind', { group: group.id, blocks: left.length, entries });
    }
    turn.afterCommit.push(() => {
      this.parts.issuing().goOn(group.id, isOwner ? successor : null, moved);
    });
  }
}
