import type { Block } from '../model/block.ts';
import type { HashFunction, Hex32 } from '../model/bytes.ts';
import type { AvatarId, GroupId } from '../model/sync-group.ts';
import { type Exchange, markOf, newsOf, remember } from './exchange.ts';
import { digestMessages, hashDigest } from './message-writer.ts';
import type { Message } from './messages.ts';
import type { Pace } from './pace.ts';
import type { GossipSettings } from './settings.ts';
import type { Digest, GossipSource, GroupDigest } from './source.ts';

/** Least time between two full digests to one peer, in milliseconds. */
const FULL_MS = 1_000;

/** Least time between two short digests for what was lost, in milliseconds. */
const HURRY_MS = 500;

/** Told again when this part of the longest silence has passed: beats come early. */
const REFRESH_RATIO = 0.75;

/** Where a Block stands. */
type Place = Pick<Block, 'group' | 'issuer' | 'sequence'>;

export interface DigestsParts {
  readonly source: GossipSource;
  readonly hash: HashFunction;
  /** For what goes to all. */
  readonly settings: Pick<GossipSettings, 'digestBusyMs' | 'settleMs'>;
  readonly paceOf: (
    peer: AvatarId,
  ) => Pick<Pace, 'isSlow' | 'isTerse' | 'digestMs' | 'digestBusyMs' | 'settleMs'>;
  readonly send: (peer: AvatarId, message: Message) => void;
  readonly wake: (atMs: number) => void;
  /** Their digest is known and differs, and the difference lasted: fetch what is missing. */
  readonly onDifference: (peer: AvatarId, groups: ReadonlyMap<GroupId, GroupDigest>) => void;
  readonly onAgreement: (peer: AvatarId) => void;
}

/**
 * Tells peers where we stand: a hash of it when things came to rest, or now and then while they do
 * not; all of it to a peer whose hash differs for longer than news takes to travel.
 */
export class Digests {
  private readonly parts: DigestsParts;
  private readonly peers = new Map<AvatarId, Exchange>();
  private known: { readonly digest: Digest; readonly hash: Hex32 } | null = null;
  /** Since when, and until when, something has changed that was not told. */
  private changedMs: number | null = null;
  private restedMs = 0;
  private toldMs = Number.NEGATIVE_INFINITY;

  constructor(parts: DigestsParts) {
    this.parts = parts;
  }

  /** A new link to a peer; what it said on another is still true. */
  addPeer(peer: AvatarId, nowMs: number): void {
    const before = this.peers.get(peer);
    this.peers.set(peer, {
      theirs: before?.theirs ?? null,
      groups: before?.groups ?? new Map(),
      issuerCount: before?.issuerCount ?? 0,
      toldShort: null,
      toldShortMs: nowMs,
      toldFull: null,
      toldFullMs: Number.NEGATIVE_INFINITY,
      owedMs: null,
      said: new Map(),
      askedAbout: null,
      compareMs: null,
      planMs: before === undefined ? null : nowMs,
      fresh: true,
    });
    this.parts.wake(nowMs);
    // Over a slow link all of it is told only where the hashes differ.
    if (this.parts.paceOf(peer).isSlow) this.tellShort(peer, this.peers.get(peer)!, nowMs);
    else this.tellFull(peer, nowMs);
  }

  removePeer(peer: AvatarId): void {
    this.peers.delete(peer);
  }

  /** May this peer have something of this group? */
  holds(peer: AvatarId, group: GroupId): boolean {
    return this.peers.get(peer)?.groups.has(group) ?? false;
  }

  /** Does this peer say that it has this Block? */
  isHeldBy(peer: AvatarId, { group, issuer, sequence }: Place): boolean {
    const exchange = this.peers.get(peer);
    if (exchange === undefined) return false;
    const told = [exchange.groups.get(group)];
    if (exchange.theirs === this.own().hash) {
      told.push(this.own().digest.find((each) => each.group === group));
    }
    const tips = told.flatMap((each) => each?.issuers ?? []);
    return tips.some(
      (tip) => tip.issuer === issuer && tip.fork === undefined && tip.sequence >= sequence,
    );
  }

  /** Our own place may have changed. */
  changed(nowMs: number): void {
    this.known = null;
    this.restedMs = nowMs + this.parts.settings.settleMs;
    if (this.changedMs !== null) return;
    this.changedMs = nowMs;
    this.parts.wake(this.restedMs);
  }

  /** Tells one peer the hash, changed or not, if that was long ago: a change may have been lost. */
  refresh(peer: AvatarId, nowMs: number): void {
    const exchange = this.peers.get(peer);
    if (exchange === undefined) return;
    const { digestMs } = this.parts.paceOf(peer);
    if (nowMs - exchange.toldShortMs >= REFRESH_RATIO * digestMs)
      this.tellShort(peer, exchange, nowMs);
  }

  /** Something of theirs was lost on its way: they hear soon where we stand. */
  hurry(peer: AvatarId, nowMs: number): void {
    const exchange = this.peers.get(peer);
    if (exchange === undefined || exchange.owedMs !== null) return;
    exchange.toldShort = null;
    exchange.owedMs = Math.max(nowMs, exchange.toldShortMs + HURRY_MS);
    this.parts.wake(exchange.owedMs);
  }

  onShort(peer: AvatarId, hash: Hex32, nowMs: number): void {
    const exchange = this.peers.get(peer);
    if (exchange === undefined) return;
    exchange.theirs = hash;
    if (hash === this.own().hash) {
      exchange.compareMs = null;
      this.agree(peer, exchange);
    } else if (exchange.compareMs === null) {
      exchange.compareMs = nowMs + this.parts.paceOf(peer).settleMs;
      this.parts.wake(exchange.compareMs);
    }
  }

  onFull(peer: AvatarId, groups: Digest, nowMs: number): void {
    const exchange = this.peers.get(peer);
    if (exchange === undefined) return;
    const { settleMs, isTerse } = this.parts.paceOf(peer);
    for (const each of groups) {
      remember(exchange, each);
      if (isTerse) exchange.said.set(each.group, markOf(each));
    }
    exchange.planMs ??= nowMs + (exchange.fresh ? 0 : settleMs);
    this.parts.wake(exchange.planMs);
    const { hash } = this.own();
    if (exchange.theirs !== hash && exchange.toldFull !== hash) {
      this.tellFullSoon(peer, exchange, nowMs);
    }
  }

  tick(nowMs: number): void {
    this.tellChange(nowMs);
    for (const [peer, exchange] of this.peers) {
      if (isDue(exchange.owedMs, nowMs)) this.tellShortSoon(peer, exchange, nowMs);
      if (isDue(exchange.compareMs, nowMs)) this.compareAgain(peer, exchange, nowMs);
      if (isDue(exchange.planMs, nowMs)) {
        exchange.planMs = null;
        exchange.fresh = false;
        this.parts.onDifference(peer, exchange.groups);
      }
      for (const dueMs of [exchange.owedMs, exchange.compareMs, exchange.planMs]) {
        if (dueMs !== null) this.parts.wake(dueMs);
      }
    }
  }

  /** The difference lasted: they hear all of ours, and what they told before is looked at again. */
  private compareAgain(peer: AvatarId, exchange: Exchange, nowMs: number): void {
    exchange.compareMs = null;
    const { hash } = this.own();
    if (exchange.theirs === hash) return;
    exchange.planMs ??= nowMs;
    // Once for each two places: where two cannot help each other they do not go on about it.
    if (exchange.toldFull !== hash || exchange.askedAbout !== exchange.theirs) {
      this.tellFullSoon(peer, exchange, nowMs);
    }
  }

  private own(): { readonly digest: Digest; readonly hash: Hex32 } {
    if (this.known === null) {
      const digest = this.parts.source.digest();
      this.known = { digest, hash: hashDigest(this.parts.hash, digest) };
    }
    return this.known;
  }

  private tellChange(nowMs: number): void {
    if (this.changedMs === null) return;
    const { digestBusyMs } = this.parts.settings;
    const busyMs = Math.max(this.changedMs, this.toldMs) + digestBusyMs;
    const dueMs = Math.min(this.restedMs, busyMs);
    if (nowMs < dueMs) {
      this.parts.wake(dueMs);
      return;
    }
    this.changedMs = null;
    this.toldMs = nowMs;
    for (const [peer, exchange] of this.peers) this.tellShortSoon(peer, exchange, nowMs);
  }

  /** At once, or over a slow link after the least time between two. */
  private tellShortSoon(peer: AvatarId, exchange: Exchange, nowMs: number): void {
    exchange.owedMs = null;
    const { hash } = this.own();
    // Who told us the very same knows that there is nothing to fetch.
    if (exchange.toldShort === hash || exchange.theirs === hash) return;
    const { isSlow, digestBusyMs } = this.parts.paceOf(peer);
    const mayMs = isSlow ? exchange.toldShortMs + digestBusyMs : nowMs;
    if (mayMs <= nowMs) {
      this.tellShort(peer, exchange, nowMs);
      return;
    }
    exchange.owedMs = mayMs;
    this.parts.wake(mayMs);
  }

  /** They stand where we do: on a terse link only what changes from here on is said. */
  private agree(peer: AvatarId, exchange: Exchange): void {
    if (this.parts.paceOf(peer).isTerse) {
      for (const each of this.own().digest) exchange.said.set(each.group, markOf(each));
    }
    this.parts.onAgreement(peer);
  }

  private tellShort(peer: AvatarId, exchange: Exchange, nowMs: number): void {
    const { hash } = this.own();
    exchange.toldShort = hash;
    exchange.toldShortMs = nowMs;
    this.parts.send(peer, { kind: 'digest-short', hash });
  }

  /** In full at once, or after the least time between two. */
  private tellFullSoon(peer: AvatarId, exchange: Exchange, nowMs: number): void {
    const { isSlow, digestBusyMs } = this.parts.paceOf(peer);
    const mayMs = exchange.toldFullMs + (isSlow ? digestBusyMs : FULL_MS);
    if (nowMs >= mayMs) {
      this.tellFull(peer, nowMs);
      return;
    }
    exchange.compareMs = mayMs;
    this.parts.wake(mayMs);
  }

  private tellFull(peer: AvatarId, nowMs: number): void {
    const exchange = this.peers.get(peer);
    if (exchange === undefined) return;
    const { digest, hash } = this.own();
    exchange.toldFull = hash;
    exchange.toldFullMs = nowMs;
    exchange.askedAbout = exchange.theirs;
    this.tellShort(peer, exchange, nowMs);
    const news = this.parts.paceOf(peer).isTerse ? newsOf(exchange, digest) : digest;
    for (const message of digestMessages(news)) this.parts.send(peer, message);
  }
}

function isDue(atMs: number | null, nowMs: number): boolean {
  return atMs !== null && atMs <= nowMs;
}
