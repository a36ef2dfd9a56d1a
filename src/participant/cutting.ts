import { type CutStanding, isCutLevel, judgeCut } from '../consensus/cut-judgement.ts';
import type { ConsensusEvent, FinalizedHead } from '../consensus/events.ts';
import type { Delivery, GossipItem } from '../gossip/item.ts';
import { toHex32 } from '../model/bytes.ts';
import {
  CUT_INTERVAL,
  type Cut,
  type CutBody,
  encodeCut,
  isSameStatement,
  sealCut,
} from '../model/cut.ts';
import { deriveQuorum, type SyncGroup } from '../model/sync-group.ts';
import type { Core } from './core.ts';
import type { Turn } from './turn.ts';

/** Statements about places that are not reached here yet; what is beyond comes again later. */
const AHEAD_MAX = 1024;

type CutItem = Extract<GossipItem, { kind: 'cut' }>;

export type CutOutcome =
  | { readonly kind: 'accepted' | 'known' }
  | { readonly kind: 'refused'; readonly reason: 'cut-forged' | 'cut-false' };

const KNOWN: CutOutcome = { kind: 'known' };

export interface CuttingParts {
  /** Takes the Metablockchain a step. */
  readonly decide: (turn: Turn, event: ConsensusEvent) => void;
  readonly isHalted: () => boolean;
  /** Something of our own came that this disk does not have. */
  readonly onClone: (turn: Turn) => void;
}

/**
 * Signs where groups stand, gathers what the other owners sign, and takes a certified cut for a
 * beginning where a peer has nothing below it.
 */
export class Cutting {
  private readonly core: Core;
  private readonly parts: CuttingParts;
  private readonly ahead = new Map<string, Cut>();

  constructor(core: Core, parts: CuttingParts) {
    this.core = core;
    this.parts = parts;
  }

  /** Something became final in the group, in this Metablock if it is one of several owners. */
  onFinal(turn: Turn, group: SyncGroup, chain: Pick<CutBody, 'level' | 'metablock'> | null): void {
    const { store } = this.core;
    if (this.isBuiltIn(group)) return;
    if (chain !== null && !isCutLevel(chain.level)) return;
    const tips = store.finalFrontier(group.id);
    if (chain === null && (tips[0]?.sequence ?? 0) % CUT_INTERVAL !== 0) return;
    // What ended the group, and what lies around it, stays for whoever asks how it went on.
    if (store.handOver(group.id) !== null) return;
    const body: CutBody = {
      group: group.id,
      level: chain?.level ?? (0 as CutBody['level']),
      metablock: chain?.metablock ?? null,
      lastSequence: store.lastSequence(group.id),
      tips,
    };
    store.cuts.putCutPlace(body, turn.wallMs);
    this.takeAhead(body);
    if (group.owners.includes(this.core.self) && !this.parts.isHalted()) this.sign(turn, body);
  }

  /** Inside the turn's transaction. */
  observe(turn: Turn, delivery: Delivery, item: CutItem): CutOutcome {
    const { cut, metablock } = item;
    const group = turn.registry.group(cut.group);
    if (group === undefined || this.isBuiltIn(group)) return KNOWN;
    const { store, verifier } = this.core;
    const isReached = this.isReached(group, cut);
    const standing: CutStanding = {
      group,
      quorum: deriveQuorum(group.owners.length, group.quorumPolicy),
      isReached,
      place: isReached ? store.cuts.cutPlace(cut.group, cut.lastSequence) : null,
      signed: (store.cuts.cutAt(cut.group, cut.lastSequence)?.signatures ?? []).map(
        ({ owner }) => owner,
      ),
      state: turn.consensus.groups.get(group.id),
    };
    const offer = { cut, metablock, isAnswer: delivery.answer };
    const judgement = judgeCut((...signed) => verifier.verify(...signed), standing, offer);
    switch (judgement.kind) {
      case 'known':
        return KNOWN;
      case 'forged':
        return { kind: 'refused', reason: 'cut-forged' };
      case 'signed':
        store.cuts.signCut(judgement.cut);
        return { kind: 'accepted' };
      case 'false':
        return this.refuseFalse(turn, judgement.cut, judgement.place);
      case 'beginning':
        return this.install(turn, group, { item, head: judgement.head });
      default:
        this.keepAhead(judgement.cut);
        return { kind: 'accepted' };
    }
  }

  private isBuiltIn(group: SyncGroup): boolean {
    const { builtIn } = this.core;
    return Object.values(builtIn).some(({ id }) => id === group.pact);
  }

  private isReached(group: SyncGroup, cut: Cut): boolean {
    const { store } = this.core;
    if (group.owners.length === 1) return cut.lastSequence <= store.lastSequence(group.id);
    return cut.level <= (store.finalizedHead(group.id)?.level ?? -1);
  }

  private refuseFalse(turn: Turn, cut: Cut, place: CutBody): CutOutcome {
    const { store, hash, log } = this.core;
    const [first] = cut.signatures;
    store.putEvidence({
      id: toHex32(hash(cut.bytes)),
      group: cut.group,
      offender: first!.owner,
      kind: 'false-cut',
      items: [cut.bytes, encodeCut(place)],
      seenAtMs: turn.wallMs,
    });
    log.error('cut-false', { group: cut.group, by: cut.signatures.map(({ owner }) => owner) });
    return { kind: 'refused', reason: 'cut-false' };
  }

  private sign(turn: Turn, body: CutBody): void {
    const { self, signer, store } = this.core;
    const cut = sealCut(body, [{ owner: self, signature: signer.sign(encodeCut(body)) }]);
    store.cuts.signCut(cut);
    turn.sends.push({ kind: 'cut', cut, metablock: null });
  }

  private keepAhead(cut: Cut): void {
    const key = `${cut.group}${cut.lastSequence} ${cut.signatures.map((each) => each.owner)}`;
    this.ahead.set(key, cut);
    for (const oldest of this.ahead.keys()) {
      if (this.ahead.size <= AHEAD_MAX) break;
      this.ahead.delete(oldest);
    }
  }

  /** The place is reached: what was signed about it counts, if it says the same. */
  private takeAhead(body: CutBody): void {
    for (const [key, cut] of this.ahead) {
      if (cut.group !== body.group || cut.lastSequence > body.lastSequence) continue;
      this.ahead.delete(key);
      if (isSameStatement(cut, body)) this.core.store.cuts.signCut(cut);
    }
  }

  private install(
    turn: Turn,
    group: SyncGroup,
    { item, head }: { readonly item: CutItem; readonly head: FinalizedHead | null },
  ): CutOutcome {
    const { cut, metablock } = item;
    const { store, self, log } = this.core;
    const own = cut.tips.find(({ issuer }) => issuer === self);
    if (own !== undefined) {
      const [there] = store.blocks(group.id, self, own.sequence, 1);
      if (there?.block.id !== own.block) this.parts.onClone(turn);
    }
    this.countOwn(turn, group, own?.sequence ?? 0);
    const from = store.lastSequence(group.id);
    store.cuts.installCut(cut, metablock);
    for (const { issuer, sequence, block } of cut.tips) {
      const tip = turn.tips.tip(group.id, issuer);
      if (tip === null || tip.sequence <= sequence) {
        turn.tips.set(group.id, issuer, { sequence, block });
      }
    }
    turn.settled.add(group.id);
    this.takeAhead(cut);
    log.warn('cut-installed', { group: group.id, from: from + 1, to: cut.lastSequence });
    if (head !== null && metablock !== null) {
      this.parts.decide(turn, { kind: 'cut', head, metablock });
    }
    return KNOWN;
  }

  /** Own Blocks that were pending here and became final elsewhere. */
  private countOwn(turn: Turn, group: SyncGroup, upTo: number): void {
    const { self, store } = this.core;
    for (const { block } of store.pendingBlocks(group.id)) {
      if (block.issuer !== self || block.sequence > upTo) continue;
      const { id, issuer, entryCount } = block;
      turn.finalized.push({ group: group.id, block: id, issuer, entryCount });
    }
  }
}
