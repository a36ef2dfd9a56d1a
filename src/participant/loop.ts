import { nextDeadline } from '../consensus/metablockchain.ts';
import type { Gossip } from '../gossip/contract.ts';
import type { Delivery } from '../gossip/item.ts';
import type { Ballot } from '../model/numbers.ts';
import type { AvatarId, GroupId } from '../model/sync-group.ts';
import { StoreError } from '../ports/store.ts';
import type { Core } from './core.ts';
import type { Cutting } from './cutting.ts';
import type { Deciding } from './deciding.ts';
import { FinalityTimes } from './finality.ts';
import { Intake } from './intake.ts';
import type { Issuing } from './issuing.ts';
import type { Stacking } from './stacking.ts';
import type { Sweeping } from './sweeping.ts';
import { type Memory, Turn } from './turn.ts';

/** Something that happened; run inside a turn's transaction. */
export type Work = (turn: Turn) => void;

/** After a commit that the disk refused, the next one waits for so long, in milliseconds. */
const DISK_PAUSE_MS = 1000;

/** Peers' words on Ballots that may wait when the disk refuses; received items as configured. */
const BALLOTS_MAX = 65_536;

export interface LoopParts {
  readonly core: Core;
  readonly memory: Memory;
  readonly gossip: Gossip;
  readonly deciding: Deciding;
  readonly stacking: Stacking;
  readonly issuing: Issuing;
  readonly sweeping: Sweeping;
  readonly cutting: Cutting;
  /** Something of our own came that this disk does not have. */
  readonly onClone: (turn: Turn) => void;
  /** What a turn decided holds now. */
  readonly onCommit: () => void;
  /** The database is beyond use; no turn is taken any more. */
  readonly onFatal: (cause: StoreError) => void;
  /** Something became final in this group. */
  readonly onFinal: (group: GroupId) => void;
}

/**
 * The one loop. Adapters and Channels put in what happened; a turn takes all of it, decides,
 * commits once, and only then speaks.
 *
 * @source architecture; style 2.
 */
export class Loop {
  readonly finality = new FinalityTimes();
  finalizedEntries = 0;
  generations = 0;
  /** What the disk said when it last refused; null while it is well. */
  diskTrouble: StoreError | null = null;

  private readonly parts: LoopParts;
  private readonly intake: Intake;
  private deliveries: Delivery[] = [];
  private work: Work[] = [];
  private toldRoundTripMs: number | null = null;
  private isTurnDue = false;
  private isClosed = false;
  private isGossipPaused = false;
  private cancelTimer: (() => void) | null = null;
  private timerAtMs: number | null = null;

  constructor(parts: LoopParts) {
    this.parts = parts;
    this.intake = new Intake(parts.core, parts);
  }

  /** Items that peers sent. */
  receive(deliveries: readonly Delivery[]): void {
    for (const delivery of deliveries) this.deliveries.push(delivery);
    if (this.deliveries.length >= this.parts.core.config.loopItemsMax && !this.isGossipPaused) {
      this.isGossipPaused = true;
      this.parts.gossip.pause();
    }
    this.wake();
  }

  /** What an owner's own session says of its Ballots. */
  observeBallots(owner: AvatarId, ballots: readonly { group: GroupId; ballot: Ballot }[]): void {
    // The next digest says them again. What this Participant wants done itself is never left out.
    if (this.work.length >= BALLOTS_MAX) return;
    this.enqueue((turn) => {
      for (const { group, ballot } of ballots) {
        this.parts.deciding.run(turn, { kind: 'ballot-seen', group, owner, ballot });
      }
    });
  }

  /** Runs `work` inside the next turn. */
  enqueue(work: Work): void {
    this.work.push(work);
    this.wake();
  }

  /** A turn soon: after what is being read now, so that one commit serves all of it. */
  wake(): void {
    if (this.isTurnDue || this.isClosed) return;
    this.isTurnDue = true;
    setImmediate(() => {
      this.isTurnDue = false;
      if (!this.isClosed && this.diskTrouble === null) this.takeTurn();
    });
  }

  /** Sees to it that a turn comes when the next Block or deadline is due. */
  schedule(): void {
    if (this.isTurnDue) return;
    const { core, issuing, memory, sweeping } = this.parts;
    const dues = [issuing.nextDueMs(), nextDeadline(memory.consensus), sweeping.nextDueMs()];
    const at = Math.min(...dues.map((due) => due ?? Number.POSITIVE_INFINITY));
    if (at === Number.POSITIVE_INFINITY || this.isClosed || this.diskTrouble !== null) return;
    const nowMs = core.timers.monotonicMs();
    if (at <= nowMs) {
      this.wake();
      return;
    }
    if (this.timerAtMs !== null && this.timerAtMs <= at) return;
    this.cancelTimer?.();
    this.timerAtMs = at;
    this.cancelTimer = core.timers.after(at - nowMs, () => {
      this.timerAtMs = null;
      this.cancelTimer = null;
      this.wake();
    });
  }

  /** Makes durable what was taken, as far as the disk allows; then no more turns. */
  close(): void {
    if (this.isClosed) return;
    this.parts.issuing.end();
    do {
      if (this.diskTrouble === null) this.takeTurn();
    } while (this.diskTrouble === null && this.parts.issuing.hasWaiting);
    this.isClosed = true;
    this.cancelTimer?.();
  }

  /** The disk refused a read outside a turn. */
  refused(cause: StoreError): void {
    if (this.diskTrouble === null && !this.isClosed) this.pauseForDisk(cause, []);
  }

  private takeTurn(): void {
    const { core, memory } = this.parts;
    const turn = new Turn(memory, core.timers.monotonicMs(), core.timers.wallMs());
    const { deliveries, work } = this;
    this.deliveries = [];
    this.work = [];
    try {
      core.store.transaction(() => this.decide(turn, deliveries, work));
    } catch (cause) {
      if (!(cause instanceof StoreError)) throw cause;
      this.pauseForDisk(cause, work);
      return;
    }
    turn.merge();
    this.parts.onCommit();
    this.speak(turn);
    this.schedule();
  }

  private decide(turn: Turn, deliveries: readonly Delivery[], work: readonly Work[]): void {
    this.tellRoundTrip(turn);
    for (const act of work) act(turn);
    for (const delivery of deliveries) this.intake.observe(turn, delivery);
    this.parts.issuing.issue(turn);
    const deadline = nextDeadline(turn.consensus);
    if (deadline !== null && deadline <= turn.nowMs)
      this.parts.deciding.run(turn, { kind: 'tick' });
    this.parts.sweeping.sweep(turn);
  }

  /** Time-outs of Ballots are to be longer than what the links take. */
  private tellRoundTrip(turn: Turn): void {
    const ms = this.parts.gossip.roundTripMs();
    if (ms === this.toldRoundTripMs) return;
    this.parts.deciding.run(turn, { kind: 'round-trip', ms });
    turn.afterCommit.push(() => {
      this.toldRoundTripMs = ms;
    });
  }

  private speak(turn: Turn): void {
    const { gossip } = this.parts;
    for (const item of turn.sends) gossip.broadcast(item);
    for (const delivery of turn.relays) gossip.accepted(delivery);
    for (const { peer, reason } of turn.blame) gossip.misbehaved(peer, reason);
    for (const want of turn.wants) gossip.want(want);
    gossip.changed();
    if (this.isGossipPaused) {
      this.isGossipPaused = false;
      gossip.resume();
    }
    this.count(turn);
  }

  private count(turn: Turn): void {
    const { core, issuing, onFinal } = this.parts;
    this.generations += turn.generations;
    const groups = new Set<GroupId>();
    for (const { group, block, issuer, entryCount } of turn.finalized) {
      this.finalizedEntries += entryCount;
      groups.add(group);
      if (issuer !== core.self) continue;
      const outlet = issuing.outletOf(group);
      const oldestAtMs = outlet?.inFlight.get(block);
      if (outlet === undefined || oldestAtMs === undefined) continue;
      outlet.inFlight.delete(block);
      this.finality.observe(core.timers.monotonicMs() - oldestAtMs);
      outlet.changed();
    }
    for (const group of groups) onFinal(group);
  }

  /**
   * The turn has never been: nothing of it is in memory, on the disk or on a link. What came from
   * here is tried again; what came from peers comes again through anti-entropy.
   */
  private pauseForDisk(cause: StoreError, work: Work[]): void {
    const { core } = this.parts;
    core.log.error('disk-refused', { code: cause.code, reason: cause.message });
    this.diskTrouble = cause;
    if (cause.code === 'STORE_CORRUPT' || cause.code === 'STORE_FOREIGN') {
      this.parts.onFatal(cause);
      return;
    }
    this.work = work.concat(this.work);
    core.timers.after(DISK_PAUSE_MS, () => {
      this.diskTrouble = null;
      this.wake();
    });
  }
}
