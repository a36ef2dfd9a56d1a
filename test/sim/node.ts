import type { ConsensusEffect, ConsensusEvent } from '../../src/consensus/events.ts';
import {
  type ConsensusContext,
  type ConsensusState,
  describe,
  nextDeadline,
  restore,
  step,
} from '../../src/consensus/metablockchain.ts';
import { type Block, encodeBlockHeader, sealBlock } from '../../src/model/block.ts';
import type { CausalSequence } from '../../src/model/numbers.ts';
import type { AvatarId, GroupId, SyncGroup } from '../../src/model/sync-group.ts';
import type { Liar } from './behaviour.ts';
import { BlockStack } from './block-stack.ts';
import { DurableStore } from './durable-store.ts';
import { answer, blockMessage, digestOf, give, isSameDigest } from './exchange.ts';
import { type KeyedSigner, sha256 } from './keyed-signer.ts';
import { Memory } from './memory.ts';
import type { GroupDigest, Message } from './message.ts';
import { Succession } from './succession.ts';
import type { Surroundings } from './surroundings.ts';

/** One Participant: the production core, a durable store, a small Block Stack and small gossip. */
export class SimNode {
  readonly signer: KeyedSigner;
  readonly store: DurableStore;
  readonly around: Surroundings;
  context: ConsensusContext;
  /** Null while it is down. */
  state: ConsensusState | null = null;
  private readonly clock: { readonly offsetMs: number; readonly rate: number };
  /** Null for an honest one. */
  readonly liar: Liar | null;
  readonly succession: Succession;
  readonly memory: Memory;
  private readonly stack: BlockStack;
  private readonly heard = new Map<AvatarId, readonly GroupDigest[]>();
  private wakeAtMs = Number.POSITIVE_INFINITY;

  constructor(
    around: Surroundings,
    context: ConsensusContext,
    parts: {
      readonly signer: KeyedSigner;
      readonly groups: readonly SyncGroup[];
      readonly clock: { readonly offsetMs: number; readonly rate: number };
      readonly liar?: Liar | null;
    },
  ) {
    this.around = around;
    this.context = context;
    this.signer = parts.signer;
    this.store = new DurableStore(parts.groups);
    this.clock = parts.clock;
    this.liar = parts.liar ?? null;
    this.succession = new Succession(this);
    this.memory = new Memory(this);
    this.stack = new BlockStack(this);
  }

  get id(): AvatarId {
    return this.signer.id;
  }

  get localMs(): number {
    return this.clock.offsetMs + this.around.time.nowMs * this.clock.rate;
  }

  start(): void {
    this.state = restore(this.context, this.store.read(), this.localMs);
    if (this.liar === null) this.around.checker.onStart(this.store, this.state);
    this.stack.clear();
    this.succession.clear();
    this.memory.clear();
    this.heard.clear();
    this.wakeAtMs = Number.POSITIVE_INFINITY;
    this.schedule();
  }

  crash(): void {
    this.state = null;
    this.around.onCrash(this);
  }

  receive(message: Message, from: SimNode): void {
    if (this.state === null) return;
    this.liar?.hear?.(this, message);
    switch (message.kind) {
      case 'block':
        this.stack.observe(message, from);
        return;
      case 'fork-proof':
        this.stack.observeProof(message.blocks, from);
        return;
      case 'cut':
        this.memory.observe(message);
        return;
      case 'want':
        for (const each of give(this.store, message)) this.tell(from, each);
        return;
      case 'digest':
        this.compare(message, from);
        return;
      default:
        this.feed(message, from);
    }
  }

  /** Sends a message to one peer, or what a liar sends in its place. */
  tell(to: SimNode, message: Message): void {
    const said = this.liar?.speak?.(this, to, message, this.around.prng) ?? [message];
    for (const each of said) this.around.send(this, to, each);
  }

  /** Pushes to a group, or to what it goes on as. */
  issueBlock(named: SyncGroup): void {
    if (this.state === null) return;
    const group = this.succession.latest(named);
    if (this.store.ended.has(group.id) || !group.owners.includes(this.id)) return;
    this.publish(this.makeBlock(group, { entryCount: 1, payload: null }));
  }

  /** Makes a Block of one's own: stacked durably, then sent. */
  publish(block: Block): void {
    this.store.stack(block, true);
    this.around.onBlock(block);
    const message = blockMessage(this.store, block.id)!;
    for (const peer of this.around.peersOf(this)) {
      const held = !this.around.prng.chance(this.around.headerFirst);
      this.tell(peer, message.kind === 'block' ? { ...message, held } : message);
    }
    this.stack.hand(block, true);
  }

  /** The next Block of its Causal Group; of Entries nothing but their number is simulated. */
  makeBlock(
    group: SyncGroup,
    { entryCount, payload }: { readonly entryCount: 0 | 1; readonly payload: Uint8Array | null },
  ): Block {
    const own = this.store.causalGroup(group.id, this.id);
    const dependencies = group.owners.flatMap((owner) => {
      const last = this.store.tip(group.id, owner);
      return owner === this.id || last === null ? [] : [last];
    });
    const header = {
      group: group.id,
      issuer: this.id,
      sequence: (own.length + 1) as CausalSequence,
      previous: this.store.tip(group.id, this.id),
      dependencies: dependencies.sort(),
      entryCount,
      byteLength: payload?.length ?? 8,
      merkleRoot: payload === null ? new Uint8Array(32) : sha256(payload),
      atMs: Math.floor(this.around.time.nowMs),
    };
    return sealBlock(sha256, header, this.signer.sign(encodeBlockHeader(header)));
  }

  /** An own Block to the core. */
  hand(block: Block): void {
    this.stack.hand(block, true);
  }

  /** One step of the core, its commit, and what follows; a crash may come between. */
  feed(event: ConsensusEvent, from: SimNode | null): void {
    if (this.state === null) return;
    const nowMs = this.localMs;
    this.around.onStep(this, event, nowMs);
    const { state, effects } = step(this.context, this.state, event, nowMs);
    if (event.kind === 'tick' && this.liar === null)
      this.around.checker.onTick(nowMs, nextDeadline(state));
    this.commit(state, effects, { event, from });
  }

  /** @param cause.before Made durable in the same commit, ahead of the effects. */
  commit(
    state: ConsensusState,
    effects: readonly ConsensusEffect[],
    cause: {
      readonly event: ConsensusEvent | null;
      readonly from: SimNode | null;
      readonly before?: () => void;
    },
  ): void {
    const { prng, checker } = this.around;
    const chance = effects.length > 0 ? this.around.crashChance() : 0;
    if (prng.chance(chance)) {
      this.crash();
      return;
    }
    this.state = state;
    cause.before?.();
    for (const effect of effects) this.apply(effect);
    if (this.liar === null) checker.onCommit(this.id, effects, this.store);
    for (const effect of effects) {
      if (effect.kind !== 'finalize') continue;
      for (const block of effect.blocks) this.around.onFinal(this, block);
    }
    for (const effect of effects) {
      // The commit stands; what was to be said is lost, from here on.
      if (prng.chance(chance)) {
        this.crash();
        return;
      }
      this.speak(effect, cause.event, cause.from);
    }
    this.succession.follow();
    this.memory.follow();
    this.schedule();
  }

  private apply(effect: ConsensusEffect): void {
    this.store.apply(effect);
    if (effect.kind !== 'finalize') return;
    if (this.liar === null) this.around.checker.onFinalize(this.id, effect);
    this.succession.onFinal(effect);
    this.memory.onFinal(effect);
  }

  private speak(effect: ConsensusEffect, event: ConsensusEvent | null, from: SimNode | null): void {
    if (this.liar === null) this.around.checker.onSend(this.id, this.store, effect);
    switch (effect.kind) {
      case 'send-metablock':
        this.relay({ kind: 'metablock', metablock: effect.metablock }, null);
        return;
      case 'send-certificate':
        this.relay({ kind: 'certificate', certificate: effect.certificate }, null);
        return;
      case 'send-ballot-note':
        this.relay({ kind: 'ballot-note', note: effect.note }, null);
        return;
      case 'want':
        this.want(effect);
        return;
      case 'accepted':
        if (this.around.relays && event !== null && isItem(event)) this.relay(event, from);
        return;
      default:
    }
  }

  relay(message: Message, from: SimNode | null): void {
    for (const peer of this.around.peersOf(this)) if (peer !== from) this.tell(peer, message);
  }

  /** What lies in the own store is fed again; the rest is asked for. */
  private want(effect: Extract<ConsensusEffect, { kind: 'want' }>): void {
    const metablocks = effect.metablocks.filter((id) => !this.store.metablocks.has(id));
    const blocks = effect.blocks.filter((id) => this.store.blocks.get(id)?.held !== true);
    for (const id of effect.metablocks) {
      const metablock = this.store.metablocks.get(id);
      if (metablock !== undefined) this.feed({ kind: 'metablock', metablock }, null);
    }
    this.stack.want(blocks);
    for (const id of effect.blocks) {
      const stacked = this.store.blocks.get(id);
      if (stacked === undefined) continue;
      this.feed({ kind: 'block', block: stacked.block, held: stacked.held }, null);
    }
    if (metablocks.length + blocks.length > 0)
      this.relay({ kind: 'want', metablocks, blocks }, null);
  }

  /** Tells peers where it stands while something is open or they are known to stand elsewhere. */
  tellDigest(): void {
    this.succession.handOverIfDue();
    if (this.state === null) return;
    const groups = digestOf(this.store, this.state);
    const isOpen = groups.some((group) => group.isOpen);
    for (const peer of this.around.peersOf(this)) {
      const theirs = this.heard.get(peer.id);
      if (!isOpen && theirs !== undefined && !differs(groups, theirs)) continue;
      this.tell(peer, { kind: 'digest', groups, isAnswer: false });
    }
  }

  private compare(message: Extract<Message, { kind: 'digest' }>, from: SimNode): void {
    const theirs = message.groups;
    this.heard.set(from.id, theirs);
    for (const { group, ballot } of theirs) {
      this.feed({ kind: 'ballot-seen', group, owner: from.id, ballot }, from);
    }
    if (this.state === null) return;
    const ours = digestOf(this.store, this.state);
    if (!message.isAnswer) {
      this.tell(from, { kind: 'digest', groups: ours, isAnswer: true });
    }
    for (const digest of ours) {
      const other = theirs.find((each) => each.group === digest.group);
      if (other === undefined) continue;
      if (isSameDigest(digest, other) && !other.isOpen && !digest.isOpen) continue;
      for (const each of answer(this.store, digest, other)) this.tell(from, each);
    }
  }

  isOpen(): boolean {
    return this.state !== null && describe(this.state).some((each) => each.open);
  }

  ballotOf(group: GroupId): number {
    return this.store.votes.get(group)?.ballot ?? 0;
  }

  private schedule(): void {
    if (this.state === null) return;
    const deadlineMs = nextDeadline(this.state);
    if (deadlineMs === null) return;
    const { time } = this.around;
    const atMs = Math.max(time.nowMs, (deadlineMs - this.clock.offsetMs) / this.clock.rate) + 1e-3;
    if (atMs >= this.wakeAtMs) return;
    this.wakeAtMs = atMs;
    time.at(atMs, () => {
      if (this.wakeAtMs !== atMs) return;
      this.wakeAtMs = Number.POSITIVE_INFINITY;
      if (this.state === null) return;
      const due = nextDeadline(this.state);
      if (due !== null && due <= this.localMs) this.feed({ kind: 'tick' }, null);
      else this.schedule();
    });
  }
}

function isItem(event: ConsensusEvent): event is ConsensusEvent & Message {
  return event.kind === 'metablock' || event.kind === 'certificate' || event.kind === 'ballot-note';
}

function differs(ours: readonly GroupDigest[], theirs: readonly GroupDigest[]): boolean {
  return ours.some((digest) => {
    const other = theirs.find((each) => each.group === digest.group);
    return other !== undefined && !isSameDigest(digest, other);
  });
}
