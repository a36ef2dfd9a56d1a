import { namingOf } from '../consensus/metablockchain.ts';
import { deriveStanding } from '../dataflow/block-stack.ts';
import type { MessageFault, MessageVerdict } from '../log/message-validity.ts';
import { type Block, type BlockId, isHandOver, signedBytesOf } from '../model/block.ts';
import { fromHex } from '../model/bytes.ts';
import { cutSequenceOf } from '../model/cut.ts';
import { invariant } from '../model/invariant.ts';
import type { CausalSequence } from '../model/numbers.ts';
import type { SyncGroup } from '../model/sync-group.ts';
import type { DecodedEntries } from '../ports/store.ts';
import type { Core } from './core.ts';
import type { Deciding } from './deciding.ts';
import { type EarlyBlock, EarlyBlocks } from './early-blocks.ts';
import { checkPayload, type PayloadRefusal } from './entries.ts';
import { Forking } from './forking.ts';
import { type HandOverRefusal, judgeHandOver } from './hand-over-payload.ts';
import { Judging } from './judging.ts';
import type { DecodedBlocks, Projecting } from './projecting.ts';
import { deriveBuiltInGroup } from './registry.ts';
import type { Turn } from './turn.ts';

/** What became of a Block that a peer sent. */
export type StackingOutcome =
  | { readonly kind: 'stacked' }
  /** Stands here already, or belongs to a group that is not known yet, or leaves a gap. */
  | { readonly kind: 'known' | 'not-ours' | 'early' }
  /** At or after a fork of its log, and in no Metablock that owners voted for. */
  | { readonly kind: 'covered' }
  /** Signed, and against the rules of its log; no other owner has named it yet. */
  | { readonly kind: 'invalid'; readonly fault: MessageFault }
  | { readonly kind: 'refused'; readonly reason: BlockRefusal; readonly detail?: string };

export type BlockRefusal =
  | 'block-forged'
  | 'block-not-by-owner'
  | 'block-dependencies'
  | 'block-forked'
  | PayloadRefusal
  | HandOverRefusal;

/** Judges others' Blocks and puts them on the Block Stack, each Causal Group in its order. */
export class Stacking {
  readonly forking: Forking;
  private readonly core: Core;
  private readonly deciding: Deciding;
  private readonly projecting: Projecting;
  private readonly decoded: DecodedBlocks;
  private readonly early: EarlyBlocks;
  private readonly judging: Judging;
  private readonly onClone: (turn: Turn) => void;

  constructor(
    core: Core,
    parts: {
      readonly deciding: Deciding;
      readonly projecting: Projecting;
      readonly decoded: DecodedBlocks;
      /** A Block of our own that this disk does not have; it is stacked like any other's. */
      readonly onClone: (turn: Turn) => void;
    },
  ) {
    this.core = core;
    this.deciding = parts.deciding;
    this.projecting = parts.projecting;
    this.decoded = parts.decoded;
    this.onClone = parts.onClone;
    this.early = new EarlyBlocks(core.config);
    this.judging = new Judging(core);
    this.forking = new Forking(core, parts.deciding);
  }

  /** Inside the turn's transaction. */
  observe(turn: Turn, block: Block, payload: Uint8Array | null): StackingOutcome {
    const outcome = this.judge(turn, block, payload);
    if (outcome.kind === 'stacked') this.observeEarly(turn, block);
    return outcome;
  }

  private judge(turn: Turn, block: Block, payload: Uint8Array | null): StackingOutcome {
    const group = turn.registry.group(block.group) ?? this.adopt(turn, block);
    if (group === null) return this.setAside(turn, block);
    if (!group.owners.includes(block.issuer)) return refused('block-not-by-owner');
    const stacked = this.core.store.block(block.id);
    if (stacked !== null) {
      if (stacked.held || payload === null) return { kind: 'known' };
      return this.complete(turn, group, { block: stacked.block, payload, final: stacked.final });
    }
    const below = cutSequenceOf(this.core.store.cuts.base(block.group), block.issuer);
    if (block.sequence <= below) return { kind: 'known' };
    // A group that handed over is over; who did not know yet sends such a Block in good faith.
    if (turn.registry.closure(group.id)?.kind === 'hand-over') return this.setAside(turn, block);
    if (this.forking.awaits(block) && this.isSigned(block)) this.forking.arrived(turn, block);
    if (this.forking.isCovered(turn, block))
      return this.stackCovered(turn, group, { block, payload });
    const standing = deriveStanding(turn.tips, block, (sequence) => this.idAt(block, sequence));
    if (standing === 'known') return { kind: 'known' };
    if (!this.isSigned(block)) return refused('block-forged');
    if (block.issuer === this.core.self) this.onClone(turn);
    if (block.dependencies.length >= group.owners.length) return refused('block-dependencies');
    if (standing === 'early') {
      this.early.put({ block, payload });
      return { kind: 'early' };
    }
    if (standing === 'fork') {
      this.forking.observe(turn, block);
      return this.forking.isCovered(turn, block)
        ? this.stackCovered(turn, group, { block, payload })
        : refused('block-forked', `Block ${block.sequence} of ${block.issuer}`);
    }
    const verdict = this.judging.judge(turn, block);
    if (verdict.kind === 'invalid') {
      return this.stackInvalid(turn, group, { block, payload }, verdict);
    }
    return this.stack(turn, group, block, payload);
  }

  /** A Metablock of several groups may wait for knowing whose Block this is. */
  private setAside(turn: Turn, block: Block): StackingOutcome {
    if (!this.isSigned(block)) return refused('block-forged');
    this.deciding.run(turn, { kind: 'block', block, held: false });
    return { kind: 'not-ours' };
  }

  /**
   * A Block at or after a fork of its log goes on the Stack where owners voted for a Metablock that
   * names it, so that it may be final; on whichever branch it is. Nothing else does.
   *
   * @source features E12.
   */
  private stackCovered(
    turn: Turn,
    group: SyncGroup,
    { block, payload }: { readonly block: Block; readonly payload: Uint8Array | null },
  ): StackingOutcome {
    if (block.issuer === this.core.self && this.isSigned(block)) this.onClone(turn);
    if (namingOf(turn.consensus, block) !== 'vouched') return { kind: 'covered' };
    if (!this.isSigned(block)) return refused('block-forged');
    if (block.dependencies.length >= group.owners.length) return refused('block-dependencies');
    const outcome = this.stack(turn, group, block, payload);
    const tip = this.core.store.tip(group.id, block.issuer);
    if (tip !== null)
      turn.tips.set(group.id, block.issuer, { sequence: tip.sequence, block: tip.block });
    return outcome;
  }

  /**
   * An invalid Block, and so all that follows it, stays off the Stack until another owner than its
   * issuer names it in a Metablock: that one may have known less when it came, and the group must
   * be able to agree on what it carries. Whatever a Quorum decides holds here as well.
   *
   * @source features E2, E13.
   */
  private stackInvalid(
    turn: Turn,
    group: SyncGroup,
    { block, payload }: { readonly block: Block; readonly payload: Uint8Array | null },
    verdict: Extract<MessageVerdict, { kind: 'invalid' }>,
  ): StackingOutcome {
    this.forking.keepInvalid(turn, block, verdict);
    const naming = namingOf(turn.consensus, block);
    if (naming === 'seconded' || naming === 'vouched') {
      return this.stack(turn, group, block, payload);
    }
    turn.refused.push(block);
    return { kind: 'invalid', fault: verdict.fault };
  }

  private stack(
    turn: Turn,
    group: SyncGroup,
    block: Block,
    payload: Uint8Array | null,
  ): StackingOutcome {
    const entries = payload === null ? null : this.judgePayload(turn, group, block, payload);
    if (entries !== null && !entries.ok) return entries.outcome;
    this.core.store.putBlock(block, payload);
    this.judging.remember(block);
    turn.tips.set(group.id, block.issuer, { sequence: block.sequence, block: block.id });
    if (entries?.value) this.decoded.put(block.id, entries.value);
    this.follow(turn, group, block, payload !== null);
    return { kind: 'stacked' };
  }

  /**
   * What follows from a Block on the Stack: final at once for a single owner, else it is voted on.
   */
  follow(turn: Turn, group: SyncGroup, block: Block, held: boolean): void {
    if (group.owners.length === 1) this.projecting.finalize(turn, group, null, [block]);
    else this.deciding.run(turn, { kind: 'block', block, held });
  }

  private complete(
    turn: Turn,
    group: SyncGroup,
    late: { block: Block; payload: Uint8Array; final: boolean },
  ): StackingOutcome {
    const entries = this.judgePayload(turn, group, late.block, late.payload);
    if (!entries.ok) return entries.outcome;
    this.core.store.putBlock(late.block, late.payload);
    if (late.final) {
      this.projecting.projectLate(turn, group, late.block, entries.value);
    } else {
      if (entries.value !== null) this.decoded.put(late.block.id, entries.value);
      this.deciding.run(turn, { kind: 'block', block: late.block, held: true });
    }
    return { kind: 'stacked' };
  }

  /** @returns the Entries; null for a hand-over, which has none. */
  private judgePayload(
    turn: Turn,
    group: SyncGroup,
    block: Block,
    payload: Uint8Array,
  ): { ok: true; value: DecodedEntries | null } | { ok: false; outcome: StackingOutcome } {
    if (isHandOver(block)) {
      const reason = judgeHandOver(this.core, group, block, payload);
      return reason === null ? { ok: true, value: null } : { ok: false, outcome: refused(reason) };
    }
    const pact = turn.registry.pact(group.pact);
    invariant(pact !== undefined, 'a known Sync Group has a known Pact');
    const checked = checkPayload(this.core, pact, block, payload);
    if (checked.ok) return checked;
    return { ok: false, outcome: refused(checked.reason, checked.detail) };
  }

  /** A Block that was held because of the gap before it may continue its Causal Group now. */
  private observeEarly(turn: Turn, block: Block): void {
    let next: EarlyBlock | null = this.early.takeAfter(block);
    while (next !== null) {
      const outcome = this.judge(turn, next.block, next.payload);
      if (outcome.kind !== 'stacked') return;
      next = this.early.takeAfter(next.block);
    }
  }

  private adopt(turn: Turn, block: Block): SyncGroup | null {
    const builtIn = Object.values(this.core.builtIn);
    const group = deriveBuiltInGroup(this.core.hash, builtIn, block.group, block.issuer);
    if (group === null || !this.isSigned(block)) return null;
    if (turn.registry.groupCount >= this.core.config.groupsMax) return null;
    this.core.store.putGroup(group);
    turn.registry.addGroup(group);
    return group;
  }

  private isSigned(block: Block): boolean {
    const { verifier } = this.core;
    return verifier.verify(fromHex(block.issuer), signedBytesOf(block), block.signature);
  }

  private idAt(block: Block, sequence: CausalSequence): BlockId | null {
    const [there] = this.core.store.blocks(block.group, block.issuer, sequence, 1);
    return there?.block.sequence === sequence ? there.block.id : null;
  }
}

function refused(reason: BlockRefusal, detail?: string): StackingOutcome {
  return detail === undefined ? { kind: 'refused', reason } : { kind: 'refused', reason, detail };
}
