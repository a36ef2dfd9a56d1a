import type { ConsensusEffect, ConsensusSettings } from '../../src/consensus/events.ts';
import type { ConsensusState } from '../../src/consensus/metablockchain.ts';
import { CONSENSUS_LIMITS } from '../../src/consensus/settings.ts';
import type { Block, BlockId } from '../../src/model/block.ts';
import type { Cut } from '../../src/model/cut.ts';
import { checkHandOver, type HandOver } from '../../src/model/hand-over.ts';
import type { Metablock, MetablockId } from '../../src/model/metablock.ts';
import type { AvatarId, GroupId, SyncGroup } from '../../src/model/sync-group.ts';
import type { DurableStore } from './durable-store.ts';
import { keyedVerifier } from './keyed-signer.ts';

export class Violation extends Error {
  override readonly name = 'Violation';
}

/** Nothing wrong was decided, but not enough, or too late. */
export class Stall extends Violation {}

type Finalize = Extract<ConsensusEffect, { kind: 'finalize' }>;

interface Mark {
  ballot: number;
  certified: number;
  finalizable: number;
}

/**
 * Looks at every step of every honest Participant. Throws a Violation at the first thing that
 * consensus.md promises and that did not hold.
 *
 * @source consensus.md 9.
 */
export class Checker {
  /** The one sequence of each group that all finalized sequences are a prefix of. */
  private readonly chains = new Map<GroupId, MetablockId[]>();
  private readonly orders = new Map<GroupId, BlockId[]>();
  private readonly lengths = new Map<string, number>();
  private readonly sequences = new Map<string, number>();
  private readonly marks = new Map<string, Mark>();
  /** Every Metablock that was ever made durable or sent by somebody. */
  private readonly tree = new Map<MetablockId, Metablock>();
  /** The highest of what an owner certified at one Ballot; all else must be below it. */
  private readonly votes = new Map<string, MetablockId>();
  private readonly children = new Map<string, MetablockId>();
  /** Of each group, how many Blocks are final after each Level. */
  private readonly ends = new Map<GroupId, number[]>();
  private readonly finals = new Map<BlockId, Block>();
  /** What each group was handed over to, and at which Level. */
  private readonly successors = new Map<GroupId, GroupId>();
  private readonly lastLevels = new Map<GroupId, number>();
  /** Blocks that were on their way when their group ended, and as what they went on. */
  private readonly moved = new Map<BlockId, BlockId>();
  levels = 0;
  ballots = 0;
  /** Cuts that somebody began at, and cuts that were seen to be false. */
  beginnings = 0;
  falseCuts = 0;

  /** One committed step of `self`, before anything of it is sent. */
  onCommit(self: AvatarId, effects: readonly ConsensusEffect[], store: DurableStore): void {
    for (const effect of effects) {
      switch (effect.kind) {
        case 'store-metablock':
          this.tree.set(effect.metablock.id, effect.metablock);
          if (effect.metablock.issuer === self) {
            this.checkOwnChild(store, effect.metablock);
          }
          break;
        case 'store-vote':
          this.checkMark(self, effect.record);
          break;
        case 'store-certificate':
          if (effect.certificate.certifier !== self) break;
          for (const { group, ballot } of effect.certificate.entries) {
            this.checkVote(self, group, ballot, effect.certificate.metablock);
          }
          break;
        case 'alarm':
          throw new Violation(
            `fork, and an alarm at ${self.slice(0, 8)}: ${effect.metablocks.join(', ')}`,
          );
        default:
      }
    }
  }

  /** A restart forgets no promise. */
  onStart(store: DurableStore, state: ConsensusState): void {
    for (const record of store.votes.values()) {
      const { ballot, votedBallot, votes, lock } = state.groups.get(record.group)!;
      this.expect(ballot === record.ballot, 'R is known again after a restart');
      // What is found final at the restart frees the promises below it.
      const isFreed = state.undone.some(
        (effect) => effect.kind === 'store-vote' && effect.record.group === record.group,
      );
      if (isFreed) continue;
      const isKept =
        votedBallot === record.votedBallot &&
        votes.join() === record.votes.join() &&
        lock?.metablock === record.lock?.metablock &&
        lock?.ballot === record.lock?.ballot;
      this.expect(isKept, 'votes at R and lock are known again after a restart');
    }
  }

  /** What was due is done: nobody is woken twice for the same. */
  onTick(nowMs: number, deadlineMs: number | null): void {
    this.expect(deadlineMs === null || deadlineMs > nowMs, 'after a tick nothing is due');
  }

  /** Everything sent is durable. */
  onSend(self: AvatarId, store: DurableStore, effect: ConsensusEffect): void {
    switch (effect.kind) {
      case 'send-metablock':
        this.expect(store.metablocks.has(effect.metablock.id), 'a Metablock is stored, then sent');
        return;
      case 'send-certificate': {
        const { certificate } = effect;
        const isStored = store
          .certificatesOf(certificate.metablock)
          .some((each) => each.signature === certificate.signature);
        this.expect(isStored, 'a Certificate is stored, then sent');
        this.expect(store.metablocks.has(certificate.metablock), 'what is certified is stored');
        for (const { group, ballot } of certificate.entries) {
          const record = store.votes.get(group);
          this.expect(record !== undefined && record.ballot >= ballot, 'R is stored with a vote');
          if (record?.votedBallot !== ballot) continue;
          const isKept = record.votes.includes(certificate.metablock);
          const isFinal = store.finals.has(group + certificate.metablock);
          this.expect(isKept || isFinal, 'a vote at R is stored before it is sent');
        }
        return;
      }
      case 'send-ballot-note': {
        const record = store.votes.get(effect.note.group);
        this.expect(record?.ballot === effect.note.ballot, 'R is stored before it is told');
        this.expect(effect.note.owner === self, 'a note is about oneself');
        return;
      }
      default:
    }
  }

  private expect(isTrue: boolean, law: string): void {
    if (!isTrue) throw new Violation(law);
  }

  private checkMark(
    self: AvatarId,
    record: Extract<ConsensusEffect, { kind: 'store-vote' }>['record'],
  ): void {
    const key = self + record.group;
    const mark = this.marks.get(key) ?? { ballot: 0, certified: -1, finalizable: -1 };
    this.expect(record.ballot >= mark.ballot, 'R never falls');
    this.expect(record.highestCertified >= mark.certified, 'HCG never falls');
    this.expect(record.highestFinalizable >= mark.finalizable, 'HFG never falls');
    this.ballots += record.ballot - mark.ballot;
    this.marks.set(key, {
      ballot: record.ballot,
      certified: record.highestCertified,
      finalizable: record.highestFinalizable,
    });
  }

  private checkOwnChild(store: DurableStore, metablock: Metablock): void {
    const self = metablock.issuer;
    for (const { group, metablock: before } of metablock.predecessors) {
      const key = `${self}${group}${before}`;
      const earlier = this.children.get(key);
      const isFirst = earlier === undefined || earlier === metablock.id;
      // A child that a fork proof covers is dead.
      const isReplaced = () =>
        this.tree.get(earlier!)!.blocks.some((id) => {
          const block = store.blocks.get(id)?.block;
          return block !== undefined && store.isCovered(block);
        });
      this.expect(isFirst || isReplaced(), 'an owner makes one living child per head and group');
      this.children.set(key, metablock.id);
    }
  }

  private checkVote(self: AvatarId, group: GroupId, ballot: number, id: MetablockId): void {
    const key = `${self}${group}${ballot}`;
    const tip = this.votes.get(key);
    if (tip !== undefined && (tip === id || this.isAbove(group, id, tip))) return;
    this.expect(tip === undefined || this.isAbove(group, tip, id), 'V1: one chain at one Ballot');
    this.votes.set(key, id);
  }

  private isAbove(group: GroupId, ancestor: MetablockId, descendant: MetablockId): boolean {
    const lowest = this.tree.get(ancestor)!.generation;
    let at = this.tree.get(descendant);
    while (at !== undefined && at.generation > lowest) {
      const before = at.predecessors.find((each) => each.group === group)?.metablock;
      if (before === ancestor) return true;
      at = before === null || before === undefined ? undefined : this.tree.get(before);
    }
    return false;
  }

  /** What one Participant takes for final, Metablock by Metablock. */
  onFinalize(self: AvatarId, { head, blocks, metablock }: Finalize): void {
    const chain = this.chains.get(head.group) ?? [];
    const order = this.orders.get(head.group) ?? [];
    this.chains.set(head.group, chain);
    this.orders.set(head.group, order);
    const key = self + head.group;
    const length = this.lengths.get(key) ?? 0;
    const level = this.lengths.get(`${key}levels`) ?? 0;
    this.expect(
      head.level === level,
      `Levels become final one by one: ${head.level} after ${level}`,
    );
    this.expect(head.metablock === metablock.id, 'the head is what became final');
    const last = this.lastLevels.get(head.group) ?? level;
    this.expect(level <= last, `nothing is final in ${head.group.slice(0, 8)} after its hand-over`);
    if (head.handOver !== null) {
      this.expect(blocks.at(-1)?.id === head.handOver, 'a hand-over Block ends its group');
      this.lastLevels.set(head.group, level);
    }
    if (chain.length === level) {
      chain.push(metablock.id);
      this.levels++;
    }
    this.expect(
      chain[level] === metablock.id,
      `fork of ${head.group.slice(0, 8)} at Level ${level}: ${chain[level]} and ${metablock.id}`,
    );
    for (const [index, block] of blocks.entries()) {
      if (order.length === length + index) order.push(block.id);
      this.expect(order[length + index] === block.id, 'Finalized Blocks are a prefix of one order');
      this.finals.set(block.id, block);
      this.checkCausal(self, block);
    }
    const ends = this.ends.get(head.group) ?? [];
    this.ends.set(head.group, ends);
    ends[level] = length + blocks.length;
    this.lengths.set(key, length + blocks.length);
    this.lengths.set(`${key}levels`, level + 1);
  }

  /** A group goes on as another: from the one hand-over that is final, which a Quorum approved. */
  onSuccession(
    self: AvatarId,
    next: { readonly group: SyncGroup; readonly block: Block; readonly successor: SyncGroup },
    handOver: HandOver,
  ): void {
    const { group, block, successor } = next;
    const order = this.orders.get(group.id) ?? [];
    this.expect(order.at(-1) === block.id, 'what is handed over is the last that is final');
    this.expect(this.lengths.get(self + group.id) === order.length, 'all before it is final here');
    const known = this.successors.get(group.id) ?? successor.id;
    this.expect(known === successor.id, 'a group is handed over to one other');
    this.successors.set(group.id, successor.id);
    const verify = keyedVerifier.verify.bind(keyedVerifier);
    this.expect(checkHandOver(verify, group, handOver) === null, 'a Quorum approved of it');
  }

  /** An own Block that its group left behind goes on in the next one. */
  onMoved(from: Block, to: Block): void {
    this.expect(!this.moved.has(from.id), 'what was left behind goes on once');
    this.moved.set(from.id, to.id);
  }

  get handOvers(): number {
    return this.successors.size;
  }

  /** Is the group over, at those who know most? */
  isOver(group: GroupId): boolean {
    return this.lastLevels.has(group);
  }

  isLeftBehind(block: Block): boolean {
    return this.isOver(block.group) && !this.finals.has(block.id);
  }

  /** @param isTaken Does its issuer own the next group? */
  checkLeft(block: Block, isTaken: boolean): void {
    const isMoved = this.moved.has(block.id);
    if (isTaken) this.expect(isMoved, 'what was left behind goes on in the next group');
    if (isMoved) this.expect(!this.finals.has(block.id), 'no Block is final, and again after that');
  }

  /** A Participant begins at a cut: it must be where the group truly stood. */
  onInstall(self: AvatarId, group: SyncGroup, cut: Cut): void {
    const key = self + cut.group;
    const chain = this.chains.get(cut.group) ?? [];
    this.expect(
      chain[cut.level] === cut.metablock,
      'a cut that is begun at is a prefix of what is',
    );
    const count = this.ends.get(cut.group)![cut.level]!;
    this.expect(
      cut.lastSequence === (group.origin?.sequence ?? 0) + count,
      'a cut counts all Entries below it',
    );
    const below = new Map<AvatarId, Block>();
    for (const id of this.orders.get(cut.group)!.slice(0, count)) {
      below.set(this.finals.get(id)!.issuer, this.finals.get(id)!);
    }
    this.expect(below.size === cut.tips.length, 'a cut names all issuers');
    for (const { issuer, sequence, block } of cut.tips) {
      this.expect(below.get(issuer)?.id === block, 'a cut names the last Block of each issuer');
      this.sequences.set(key + issuer, sequence);
    }
    this.expect((this.lengths.get(`${key}levels`) ?? 0) <= cut.level, 'nobody begins further down');
    this.lengths.set(key, count);
    this.lengths.set(`${key}levels`, cut.level + 1);
    this.beginnings++;
  }

  onFalseCut(): void {
    this.falseCuts++;
  }

  /** A Block of a group of one owner, which is final as it comes. */
  onAlone(self: AvatarId, block: Block): void {
    const order = this.orders.get(block.group) ?? [];
    this.orders.set(block.group, order);
    const key = self + block.group;
    const length = this.lengths.get(key) ?? 0;
    if (order.length === length) order.push(block.id);
    this.expect(order[length] === block.id, 'Finalized Blocks are a prefix of one order');
    this.lengths.set(key, length + 1);
    this.checkCausal(self, block);
  }

  /** Counts what a state holds: nobody can make it grow beyond its bounds. */
  checkSize(state: ConsensusState, settings: ConsensusSettings): void {
    for (const [, group] of state.groups) {
      const owners = group.sync.owners.length;
      const share = Math.max(CONSENSUS_LIMITS.undecidedMin, settings.heldMax / owners);
      const undecidedMax = owners * share;
      let votes = 0;
      let undecided = group.held.size;
      for (const node of group.nodes.values()) {
        if (node.finalizableBallots.length === 0) undecided++;
        for (const { certificates } of node.tallies.values()) votes += certificates.size;
      }
      // Besides one's share, what an honest owner voted for finds room.
      this.expect(undecided <= 2 * undecidedMax, 'undecided Metablocks are bounded');
      // So many alone, near a Quorum, and of a Quorum.
      const perNode = owners * 3 * CONSENSUS_LIMITS.ballotsPerVoterMax;
      this.expect(votes <= group.nodes.size * perNode, 'votes for a Metablock are bounded');
      let held = 0;
      for (const certificates of group.heldCertificates.values()) held += certificates.length;
      this.expect(held <= owners * share, 'held Certificates are bounded');
      const asks = group.held.size + group.heldCertificates.size + group.nodes.size + 1;
      this.expect(group.asks.size <= asks, 'nothing is asked for that nobody waits for');
      this.expect(group.seen.size <= owners, 'Ballots are kept of owners alone');
      this.expect(group.voteTips.size <= owners, 'last votes are kept of owners alone');
      this.expect(group.votes.length <= group.nodes.size + 2, 'own votes are of what is known');
    }
  }

  private checkCausal(self: AvatarId, block: Block): void {
    const key = `${self}${block.group}${block.issuer}`;
    const before = this.sequences.get(key) ?? 0;
    this.expect(
      block.sequence === before + 1,
      `each Block final once and in causal order: ${block.sequence} after ${before}`,
    );
    this.sequences.set(key, block.sequence);
  }
}
