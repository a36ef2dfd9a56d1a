import type { Priority } from '../model/pact.ts';
import type { AvatarId, GroupId } from '../model/sync-group.ts';
import { compare, standingIn } from './anti-entropy.ts';
import { type ChunkEndMessage, type Message, type Range, rangeKey } from './messages.ts';
import type { Pace } from './pace.ts';
import { ProofAsking } from './proof-asking.ts';
import { RangeWaits } from './range-waits.ts';
import { RangesToDo } from './ranges-to-do.ts';
import { RecentSet } from './recent-set.ts';
import { GOSSIP_LIMITS } from './settings.ts';
import type { Digest, GossipSource, GroupDigest } from './source.ts';

/**
 * A range that brings answers for so long and us no further, in milliseconds, is given up; unless a
 * long Block is under way, and that at a quarter of what the link carries, or this many bytes in
 * that time.
 */
const STALL_MS = 60_000;
const STALL_BYTES = 512 * 1024;
const STALL_SECONDS = STALL_MS / 4_000;

/** Forks asked about, each once, and so many at a time. */
const FORKS_MAX = 1_024;
const FORKS_AT_ONCE = 64;

interface OpenRange {
  readonly range: Range;
  readonly priority: Priority;
  readonly peer: AvatarId;
  /** Where we stood in this range when it was asked for. */
  readonly stood: string;
  next: number;
  deadlineMs: number;
  /** Where we stand in it, as last looked at, and when that last changed. */
  place: string;
  movedMs: number;
  /** Of what is under way, since then; and those for which more time was given. */
  bytes: number;
  grantedBytes: number;
}

interface Standing {
  groups: ReadonlyMap<GroupId, GroupDigest>;
  /** Groups whose open part was not asked for since the link is up. */
  fresh: Set<GroupId>;
  /** What it has and we lack, as last compared. */
  todo: RangesToDo;
  /** It let a range time out: others first. */
  slowUntilMs: number;
}

export interface RangesParts {
  readonly source: GossipSource;
  readonly paceOf: (
    peer: AvatarId,
  ) => Pick<Pace, 'rangesPerPeerMax' | 'answerMs' | 'isSlow' | 'bytesPerSecond'>;
  readonly send: (peer: AvatarId, message: Message) => void;
  /** Asks for a call of `tick` at this time. */
  readonly wake: (atMs: number) => void;
}

/**
 * Fetches what others have and we lack, range by range: each range from one peer at a time, chunk
 * after chunk to its end, different ranges from different peers. Each priority has places of its
 * own: what one has much of keeps no other from being asked for, and whoever answers weighs them.
 */
export class Ranges {
  private readonly parts: RangesParts;
  private readonly peers = new Map<AvatarId, Standing>();
  private readonly open = new Map<string, OpenRange>();
  private readonly waits: RangeWaits;
  private readonly forks = new RecentSet(FORKS_MAX);
  private readonly proofs: ProofAsking;
  private own: { digest: Digest; groups: ReadonlyMap<GroupId, GroupDigest> } | null = null;
  private pausedMs: number | null = null;

  constructor(parts: RangesParts) {
    this.parts = parts;
    this.proofs = new ProofAsking(parts);
    this.waits = new RangeWaits(parts.wake);
  }

  get openCount(): number {
    return this.open.size;
  }

  /** A peer says where it stands; for the first time, or anew. */
  observe(peer: AvatarId, groups: ReadonlyMap<GroupId, GroupDigest>): void {
    const before = this.peers.get(peer);
    this.peers.set(peer, {
      groups,
      fresh: before?.fresh ?? new Set(groups.keys()),
      todo: new RangesToDo(),
      slowUntilMs: before?.slowUntilMs ?? 0,
    });
  }

  /** A peer stands where we do. */
  agree(peer: AvatarId): void {
    const standing = this.peers.get(peer);
    if (standing === undefined) return;
    standing.groups = new Map();
    standing.todo = new RangesToDo();
  }

  removePeer(peer: AvatarId, nowMs: number): void {
    this.peers.delete(peer);
    for (const [key, range] of this.open) if (range.peer === peer) this.open.delete(key);
    this.plan(nowMs);
  }

  /** Nothing comes in while paused, so nobody can be late. */
  pause(nowMs: number): void {
    this.pausedMs ??= nowMs;
  }

  resume(nowMs: number): void {
    const lastedMs = nowMs - (this.pausedMs ?? nowMs);
    this.pausedMs = null;
    for (const range of this.open.values()) {
      range.movedMs += lastedMs;
      range.deadlineMs = nowMs + this.parts.paceOf(range.peer).answerMs;
      this.parts.wake(range.deadlineMs);
    }
  }

  /** Compares where we stand with what all peers said, and asks for what may be asked for now. */
  plan(nowMs: number): void {
    for (const [peer, standing] of this.peers) this.compareWith(peer, standing, nowMs);
    this.fill(nowMs);
  }

  /** @returns false if no such range was asked of this peer, or it goes backwards. */
  endChunk(peer: AvatarId, message: ChunkEndMessage, nowMs: number): boolean {
    const key = rangeKey(message);
    const open = this.open.get(key);
    if (open?.peer !== peer || open.range.range !== message.range) return false;
    if (message.next < open.next) return false;
    if (message.next < message.end && message.next > open.next) {
      open.next = message.next;
      open.deadlineMs = nowMs + this.parts.paceOf(peer).answerMs;
      this.ask(peer, { ...open.range, from: message.next } as Range);
      return true;
    }
    this.open.delete(key);
    this.waits.after(key, open, nowMs);
    this.fill(nowMs);
    return true;
  }

  /** The peer answers: its ranges are under way. @param bytes Of what is not whole yet. */
  progress(peer: AvatarId, nowMs: number, bytes = 0): void {
    if (this.open.size === 0) return;
    const { answerMs } = this.parts.paceOf(peer);
    for (const range of this.open.values()) {
      if (range.peer !== peer) continue;
      range.deadlineMs = nowMs + answerMs;
      range.bytes += bytes;
    }
  }

  /** Gives up what was not answered in time, and asks for whatever is lacking now. */
  tick(nowMs: number): void {
    if (this.pausedMs !== null) return;
    for (const [key, range] of this.open) {
      if (range.deadlineMs > nowMs && !this.isStalled(range, nowMs)) {
        this.parts.wake(range.deadlineMs);
        continue;
      }
      this.open.delete(key);
      const { answerMs } = this.parts.paceOf(range.peer);
      this.waits.afterSilence(key, range, nowMs);
      const standing = this.peers.get(range.peer);
      if (standing !== undefined) standing.slowUntilMs = nowMs + 4 * answerMs;
    }
    this.plan(nowMs);
  }

  /** Whoever answers a little now and then, and nothing of use, keeps a range from all others. */
  private isStalled(open: OpenRange, nowMs: number): boolean {
    const place = standingIn(this.mine().get(open.range.group), open.range);
    const hasMoved = place !== open.place;
    const isLate = nowMs - open.movedMs >= STALL_MS;
    if (!hasMoved && !(isLate && this.isLong(open))) return isLate;
    open.grantedBytes = hasMoved ? 0 : open.grantedBytes + open.bytes;
    open.place = place;
    open.movedMs = nowMs;
    open.bytes = 0;
    return false;
  }

  private isLong({ peer, bytes, grantedBytes }: OpenRange): boolean {
    const { bytesPerSecond } = this.parts.paceOf(peer);
    const least = bytesPerSecond === null ? STALL_BYTES : bytesPerSecond * STALL_SECONDS;
    return bytes >= least && grantedBytes + bytes <= GOSSIP_LIMITS.bulkBytesMax;
  }

  /** One range of each peer in turn, the least busy first, so that none has all the work. */
  private fill(nowMs: number): void {
    let peers = [...this.peers];
    while (peers.length > 0) {
      peers = peers
        .sort(([a], [b]) => this.burden(a, nowMs) - this.burden(b, nowMs))
        .filter(([peer, standing]) => this.startOne(peer, standing, nowMs));
    }
  }

  private mine(): ReadonlyMap<GroupId, GroupDigest> {
    const digest = this.parts.source.digest();
    if (this.own?.digest !== digest) {
      this.own = { digest, groups: new Map(digest.map((each) => [each.group, each] as const)) };
    }
    return this.own.groups;
  }

  private compareWith(peer: AvatarId, standing: Standing, nowMs: number): void {
    const theirs = [...standing.groups.values()];
    const { ranges, forks, proofs } = compare(this.mine(), theirs, standing.fresh);
    for (const group of proofs) this.proofs.ask(peer, group, nowMs);
    const wanted = ranges.filter((each) => this.isWanted(each));
    standing.todo = new RangesToDo(wanted, ({ group }) => this.parts.source.priorityOf(group));
    const unasked = forks.filter((id) => !this.forks.has(id)).slice(0, FORKS_AT_ONCE);
    for (const id of unasked) this.forks.add(id);
    if (unasked.length > 0) this.parts.send(peer, { kind: 'want-blocks', ids: unasked });
  }

  private isWanted(range: Range): boolean {
    return range.range === 'chain'
      ? this.parts.source.wantsChain(range.group)
      : this.parts.source.wants(range.group, range.issuer);
  }

  private burden(peer: AvatarId, nowMs: number): number {
    const late = (this.peers.get(peer)?.slowUntilMs ?? 0) > nowMs ? 1_000 : 0;
    return late + (this.parts.paceOf(peer).isSlow ? 500 : 0) + this.openAt(peer);
  }

  private openAt(peer: AvatarId, priority: Priority | null = null): number {
    let count = 0;
    for (const range of this.open.values()) {
      if (range.peer === peer && (priority ?? range.priority) === range.priority) count += 1;
    }
    return count;
  }

  /** @returns false when this peer is asked for nothing more now. */
  private startOne(peer: AvatarId, standing: Standing, nowMs: number): boolean {
    const { answerMs, rangesPerPeerMax } = this.parts.paceOf(peer);
    const isFull = (priority: Priority) => this.openAt(peer, priority) >= rangesPerPeerMax;
    for (;;) {
      const todo = standing.todo.next(isFull);
      if (todo === undefined) return false;
      const key = keyOfRange(todo);
      // The chain brings its Blocks along: what it leaves out is asked for after it.
      if (this.open.has(key) || this.open.has(todo.group)) continue;
      const range = this.stillLacking(standing, todo);
      if (range === null || this.isFasterElsewhere(peer, range, nowMs)) continue;
      const stood = standingIn(this.mine().get(range.group), range);
      if (!this.waits.mayAsk({ key, peer, stood }, nowMs)) continue;
      if (range.range === 'chain') standing.fresh.delete(range.group);
      const deadlineMs = nowMs + answerMs;
      const at = { next: range.from, deadlineMs, place: stood, movedMs: nowMs };
      const priority = this.parts.source.priorityOf(range.group);
      this.open.set(key, { range, priority, peer, stood, ...at, bytes: 0, grantedBytes: 0 });
      this.parts.wake(deadlineMs);
      this.ask(peer, range);
      return true;
    }
  }

  /** Over a slow link nothing is fetched that somebody on a better one has and gives. */
  private isFasterElsewhere(peer: AvatarId, range: Range, nowMs: number): boolean {
    if (!this.parts.paceOf(peer).isSlow) return false;
    const stood = standingIn(this.mine().get(range.group), range);
    const key = keyOfRange(range);
    for (const [other, standing] of this.peers) {
      if (standing.slowUntilMs > nowMs || this.parts.paceOf(other).isSlow) continue;
      if (this.stillLacking(standing, range) === null) continue;
      if (this.waits.mayAsk({ key, peer: other, stood }, nowMs)) return true;
    }
    return false;
  }

  /** The same range from where we stand now; null if it came meanwhile. */
  private stillLacking(standing: Standing, todo: Range): Range | null {
    const theirs = standing.groups.get(todo.group);
    if (theirs === undefined) return null;
    const { ranges } = compare(this.mine(), [theirs], standing.fresh);
    return ranges.find((each) => keyOfRange(each) === keyOfRange(todo)) ?? null;
  }

  private ask(peer: AvatarId, range: Range): void {
    this.parts.send(peer, { kind: 'want-range', ...range });
  }
}

function keyOfRange(range: Range): string {
  return rangeKey({ group: range.group, issuer: range.range === 'causal' ? range.issuer : null });
}
