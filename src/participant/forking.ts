import { LogBudget } from '../gossip/log-budget.ts';
import { checkForkProof, coveredByProof } from '../log/fork-proof.ts';
import { keepInvalid, type MessageVerdict } from '../log/message-validity.ts';
import type { Block, BlockId } from '../model/block.ts';
import { concatBytes, fromHex, toHex32 } from '../model/bytes.ts';
import { type ForkProof, makeForkProof } from '../model/fork-proof.ts';
import type { CausalSequence } from '../model/numbers.ts';
import type { AvatarId } from '../model/sync-group.ts';
import type { ForkRecord } from '../ports/store.ts';
import type { Core } from './core.ts';
import type { Deciding } from './deciding.ts';
import type { Turn } from './turn.ts';

/** How the evidence of an invalid Block is named; its fault follows. */
export const INVALID_BLOCK = 'invalid-block: ';

/** Logs whose branches are being walked back at one time; each waits for one Block. */
const WALKS_MAX = 256;

/** Blocks of one place of a log that are looked at for one that stands beside another. */
const BESIDE_MAX = 8;

/** What became of a fork proof that a peer sent. */
export type ProofOutcome = 'new' | 'known' | 'not-ours' | 'forged';

/**
 * Finds out that an author forked its log, and remembers it for ever: the first Blocks of two
 * branches convict it. Where only Blocks further up are at hand, those before them are fetched.
 *
 * @source features E4, E7, E11; 2P-BFT-Log 3.3.
 */
export class Forking {
  private readonly core: Core;
  private readonly deciding: Deciding;
  private readonly listeners = new Set<(record: ForkRecord) => void>();
  /** Whoever forks can show ever earlier places, as many as its log is long. */
  private readonly lowered: LogBudget;
  /** By the Block that is awaited: the one that names it as `previous`. */
  private readonly walks = new Map<BlockId, Block>();

  constructor(core: Core, deciding: Deciding) {
    this.core = core;
    this.deciding = deciding;
    this.lowered = new LogBudget(
      (level, event, fields) => core.log[level](event, fields),
      () => core.timers.monotonicMs(),
    );
  }

  /** Calls back once for each log that is found to fork from now on. @returns how to end that. */
  listen(act: (record: ForkRecord) => void): () => void {
    this.listeners.add(act);
    return () => this.listeners.delete(act);
  }

  /** Is it at or after a fork that is known? Then it counts only where a Quorum says so. */
  isCovered(turn: Turn, block: Block): boolean {
    const proof = turn.forks.proof(block.group, block.issuer);
    return proof !== null && coveredByProof(proof, block);
  }

  /** Does a walk back wait for this Block? */
  awaits(block: Block): boolean {
    return this.walks.has(block.id);
  }

  /** Goes on where this Block was awaited. @param block Its signature holds. */
  arrived(turn: Turn, block: Block): void {
    const after = this.walks.get(block.id);
    if (after === undefined) return;
    this.walks.delete(block.id);
    const isBefore =
      after.group === block.group &&
      after.issuer === block.issuer &&
      after.sequence === block.sequence + 1;
    if (isBefore) this.observe(turn, block);
    else
      this.keepInvalid(turn, after, {
        kind: 'invalid',
        fault: 'previous-misplaced',
        witnesses: [block],
      });
  }

  /**
   * Looks for the fork behind a Block that does not continue its Causal Group as it stands here.
   *
   * @param block Its signature holds; it is not stacked.
   */
  observe(turn: Turn, block: Block): void {
    const { store } = this.core;
    const there = store.blocks(block.group, block.issuer, block.sequence, BESIDE_MAX);
    const twin = there.find(
      (each) =>
        each.block.sequence === block.sequence &&
        each.block.previous === block.previous &&
        each.block.id !== block.id,
    );
    if (twin !== undefined) {
      const proof = makeForkProof([twin.block, block]);
      if (proof.ok && this.convict(turn, proof.value)) {
        turn.sends.push({ kind: 'fork-proof', proof: proof.value });
      }
      return;
    }
    if (block.previous === null || store.block(block.previous) !== null) return;
    this.await(turn, block.previous, block);
  }

  /** A peer says that somebody forked. */
  adopt(turn: Turn, proof: ForkProof): ProofOutcome {
    const group = turn.registry.group(proof.group);
    if (group === undefined || !group.owners.includes(proof.author)) return 'not-ours';
    const known = turn.forks.proof(proof.group, proof.author);
    if (known !== null && isNoNews(known, proof)) return 'known';
    if (!checkForkProof(this.core.verifier, proof).ok) return 'forged';
    this.lookBelow(turn, proof);
    return this.convict(turn, proof) ? 'new' : 'known';
  }

  /**
   * One message of each author that is signed and breaks the rules of its log is kept, and none
   * else.
   *
   * @source features E13.
   */
  keepInvalid(turn: Turn, block: Block, verdict: MessageVerdict): void {
    const id = this.invalidIdOf(block.issuer);
    const evidence = keepInvalid(block, verdict, () => false);
    if (evidence === null) return;
    this.core.store.putEvidence({
      id,
      group: block.group,
      offender: block.issuer,
      kind: INVALID_BLOCK + evidence.fault,
      items: [evidence.message, ...evidence.witnesses].map((each) => each.bytes),
      seenAtMs: turn.wallMs,
    });
  }

  /** The same for all of one author, so that the first stays. */
  private invalidIdOf(author: AvatarId) {
    const name = new TextEncoder().encode('invalid-block');
    return toHex32(this.core.hash(concatBytes(name, fromHex(author))));
  }

  private await(turn: Turn, id: BlockId, after: Block): void {
    if (this.walks.has(id)) return;
    if (this.walks.size >= WALKS_MAX) this.walks.delete(this.walks.keys().next().value!);
    this.walks.set(id, after);
    turn.wants.push({ group: after.group, blocks: [id], metablocks: [] });
  }

  /** Where the proof's branches follow another Block than stands here, there is an earlier fork. */
  private lookBelow(turn: Turn, proof: ForkProof): void {
    const [branch] = proof.branches;
    if (proof.previous === null || branch === undefined) return;
    const sequence = (proof.sequence - 1) as CausalSequence;
    const [there] = this.core.store.blocks(proof.group, proof.author, sequence, 1);
    if (there?.block.sequence !== sequence || there.block.id === proof.previous) return;
    const { block } = this.core.store.block(proof.previous) ?? { block: null };
    if (block === null) this.await(turn, proof.previous, branch as Block);
  }

  /** @returns whether it says more than is known. Of the same place the first proof stays. */
  private convict(turn: Turn, proof: ForkProof): boolean {
    const { core } = this;
    const { group, author, sequence } = proof;
    const known = turn.forks.get(group, author);
    if (known !== null && known.proof.sequence <= sequence) return false;
    const lowered = known === null ? 0 : known.lowered + 1;
    const record = { proof, seenAtMs: known?.seenAtMs ?? turn.wallMs, lowered };
    core.store.putFork(proof, record.seenAtMs);
    turn.forks.set(record);
    const lastGood = (sequence - 1) as CausalSequence;
    this.deciding.run(turn, { kind: 'fork-proof', group, issuer: author, lastGood });
    turn.afterCommit.push(() => this.announce(record));
    return true;
  }

  /** That a log forks is news once; that it forks still earlier changes nothing for anybody. */
  private announce(record: ForkRecord): void {
    const { group, author, sequence, branches } = record.proof;
    if (record.lowered > 0) {
      this.lowered.write('info', 'log-forked-earlier', { group, author, sequence });
      return;
    }
    const blocks = branches.map((each) => each.id);
    this.core.log.error('log-forked', { group, author, sequence, blocks });
    for (const act of this.listeners) act(record);
  }
}

function isNoNews(known: ForkProof, proof: ForkProof): boolean {
  if (known.sequence !== proof.sequence) return known.sequence < proof.sequence;
  return known.previous === proof.previous;
}
