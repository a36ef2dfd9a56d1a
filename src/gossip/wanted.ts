import type { Hex32 } from '../model/bytes.ts';
import { PRIORITIES, type Priority } from '../model/pact.ts';
import type { AvatarId, GroupId } from '../model/sync-group.ts';
import type { Arrival, Arrivals } from './arrivals.ts';
import type { Missing } from './contract.ts';
import type { Message } from './messages.ts';
import type { Pace } from './pace.ts';
import type { GossipSettings } from './settings.ts';

/**
 * What is missing is often on its way already: a Metablock overtakes its Blocks. It is asked for
 * when it has not come after this many milliseconds.
 */
const GRACE_MS = 100;

/** Whoever sends a part now and then keeps an id from others for so long at most. */
const PARTS_MS = 60_000;
const SLOW_PARTS_MS = 3_600_000;

/** After all peers were asked in vain, in milliseconds, doubling; and how often. */
const ROUND_MS = 1_000;
const ROUNDS_MAX = 6;

type WantedKind = 'want-blocks' | 'want-metablocks';

interface WantedId {
  readonly id: Hex32;
  readonly kind: WantedKind;
  readonly group: GroupId;
  readonly priority: Priority;
  readonly tried: Set<AvatarId>;
  /** Who was asked; null while nobody is. */
  peer: AvatarId | null;
  askedMs: number;
  dueMs: number;
  rounds: number;
  /** Since when it is left to somebody who sends it unasked, and how much had come then. */
  leftMs: number | null;
  leftBytes: number;
}

export interface WantedParts {
  readonly settings: Pick<GossipSettings, 'wantedMax'>;
  readonly paceOf: (peer: AvatarId) => Pick<Pace, 'answerMs' | 'idsMax' | 'isSlow'>;
  readonly send: (peer: AvatarId, message: Message) => void;
  readonly wake: (atMs: number) => void;
  readonly priorityOf: (group: GroupId) => Priority;
  /** Has the thing come in the meantime? */
  readonly isHere: (kind: WantedKind, id: Hex32) => boolean;
  /** What comes at the moment, part by part. */
  readonly arrivals: () => Arrivals;
  /** Those linked now, the likelier to have something of this group first. */
  readonly peersFor: (group: GroupId) => readonly AvatarId[];
}

/** Fetches single things by their id: of one peer at a time, then of the others, each once. */
export class Wanted {
  private readonly parts: WantedParts;
  private readonly ids = new Map<Hex32, WantedId>();
  private isPaused = false;

  constructor(parts: WantedParts) {
    this.parts = parts;
  }

  get count(): number {
    return this.ids.size;
  }

  /** Beyond the bound the rest is not taken: whoever needs it will say so again. */
  want(missing: Missing, nowMs: number): void {
    this.add('want-blocks', missing.group, missing.blocks, nowMs);
    this.add('want-metablocks', missing.group, missing.metablocks, nowMs);
  }

  /** Nothing comes in while paused, so nobody can be late. */
  pause(): void {
    this.isPaused = true;
  }

  resume(nowMs: number): void {
    this.isPaused = false;
    for (const wanted of this.ids.values()) {
      const { peer } = wanted;
      const waitMs = peer === null ? GRACE_MS : this.parts.paceOf(peer).answerMs;
      wanted.dueMs = Math.max(wanted.dueMs, nowMs + waitMs);
      this.parts.wake(wanted.dueMs);
    }
  }

  /** The peer is sending: what it was asked for is on its way. */
  progress(peer: AvatarId, nowMs: number): void {
    if (this.ids.size === 0) return;
    const { answerMs, isSlow } = this.parts.paceOf(peer);
    const longestMs = isSlow ? SLOW_PARTS_MS : PARTS_MS;
    for (const wanted of this.ids.values()) {
      if (wanted.peer !== peer || nowMs - wanted.askedMs > longestMs) continue;
      wanted.dueMs = nowMs + answerMs;
    }
  }

  /** @returns whether it was wanted. */
  arrived(id: Hex32): boolean {
    return this.ids.delete(id);
  }

  notFound(peer: AvatarId, ids: readonly Hex32[], nowMs: number): void {
    for (const id of ids) {
      const wanted = this.ids.get(id);
      if (wanted?.peer === peer) this.giveUpOn(wanted, nowMs);
    }
    this.tick(nowMs);
  }

  removePeer(peer: AvatarId, nowMs: number): void {
    for (const wanted of this.ids.values()) {
      if (wanted.peer === peer) this.giveUpOn(wanted, nowMs);
    }
    this.tick(nowMs);
  }

  tick(nowMs: number): void {
    if (this.isPaused) return;
    const asks = new Map<AvatarId, WantedId[]>();
    let arrivals: Arrivals | null = null;
    for (const wanted of this.inOrder()) {
      if (wanted.dueMs > nowMs) {
        this.parts.wake(wanted.dueMs);
        continue;
      }
      if (wanted.peer !== null) this.giveUpOn(wanted, nowMs);
      arrivals ??= this.parts.arrivals();
      const peer = this.choosePeer(wanted, arrivals, nowMs);
      if (peer === null) continue;
      const batch = asks.get(peer);
      if (batch === undefined) asks.set(peer, [wanted]);
      else batch.push(wanted);
    }
    for (const [peer, batch] of asks) this.ask(peer, batch);
  }

  private add(kind: WantedKind, group: GroupId, ids: readonly Hex32[], nowMs: number): void {
    for (const id of ids) {
      if (this.ids.size >= this.parts.settings.wantedMax || this.ids.has(id)) continue;
      const dueMs = nowMs + GRACE_MS;
      const tried = new Set<AvatarId>();
      const asked = { tried, peer: null, askedMs: 0, rounds: 0, leftMs: null, leftBytes: 0 };
      const priority = this.parts.priorityOf(group);
      this.ids.set(id, { id, kind, group, priority, dueMs, ...asked });
      this.parts.wake(dueMs);
    }
  }

  /** Those that go first come first; then those asked for first. */
  private inOrder(): WantedId[] {
    const all = [...this.ids.values()];
    return PRIORITIES.flatMap((priority) => all.filter((each) => each.priority === priority));
  }

  private giveUpOn(wanted: WantedId, nowMs: number): void {
    if (wanted.peer !== null) wanted.tried.add(wanted.peer);
    wanted.peer = null;
    wanted.dueMs = nowMs;
  }

  private choosePeer(wanted: WantedId, arrivals: Arrivals, nowMs: number): AvatarId | null {
    if (this.parts.isHere(wanted.kind, wanted.id)) {
      this.ids.delete(wanted.id);
      return null;
    }
    const peers = this.parts.peersFor(wanted.group);
    const peer = peers.find((each) => !wanted.tried.has(each));
    if (peer !== undefined) {
      const { answerMs, idsMax, isSlow } = this.parts.paceOf(peer);
      if (this.isComing(wanted, arrivals.get(wanted.id), { peer, nowMs })) return null;
      wanted.dueMs = nowMs + answerMs;
      if (isSlow && this.askedOf(peer) >= idsMax) {
        this.parts.wake(wanted.dueMs);
        return null;
      }
      wanted.peer = peer;
      wanted.askedMs = nowMs;
      this.parts.wake(wanted.dueMs);
      return peer;
    }
    wanted.rounds += 1;
    wanted.tried.clear();
    wanted.dueMs = nowMs + ROUND_MS * 2 ** wanted.rounds;
    if (wanted.rounds > ROUNDS_MAX) this.ids.delete(wanted.id);
    else this.parts.wake(wanted.dueMs);
    return null;
  }

  /**
   * Does it come unasked, part by part? Then nobody is asked for it as long as it moves; but for
   * somebody on a better link than the one that it comes over.
   */
  private isComing(
    wanted: WantedId,
    arrival: Arrival | undefined,
    { peer, nowMs }: { readonly peer: AvatarId; readonly nowMs: number },
  ): boolean {
    if (arrival === undefined || arrival.bytes <= wanted.leftBytes) return false;
    const { answerMs, isSlow } = this.parts.paceOf(arrival.from);
    if (isSlow && !this.parts.paceOf(peer).isSlow) return false;
    wanted.leftMs ??= nowMs;
    if (nowMs - wanted.leftMs > (isSlow ? SLOW_PARTS_MS : PARTS_MS)) return false;
    wanted.leftBytes = arrival.bytes;
    wanted.dueMs = nowMs + answerMs;
    this.parts.wake(wanted.dueMs);
    return true;
  }

  private askedOf(peer: AvatarId): number {
    let count = 0;
    for (const wanted of this.ids.values()) if (wanted.peer === peer) count += 1;
    return count;
  }

  private ask(peer: AvatarId, batch: readonly WantedId[]): void {
    const { idsMax } = this.parts.paceOf(peer);
    for (const kind of ['want-metablocks', 'want-blocks'] as const) {
      // Each answer goes by one priority.
      for (const priority of PRIORITIES) {
        const alike = batch.filter((each) => each.kind === kind && each.priority === priority);
        const ids = alike.map((each) => each.id);
        for (let from = 0; from < ids.length; from += idsMax) {
          this.parts.send(peer, { kind, ids: ids.slice(from, from + idsMax) });
        }
      }
    }
  }
}
