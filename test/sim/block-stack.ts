import { type Block, type BlockId, isHandOver, signedBytesOf } from '../../src/model/block.ts';
import { fromHex } from '../../src/model/bytes.ts';
import type { CausalSequence } from '../../src/model/numbers.ts';
import { blockMessage } from './exchange.ts';
import { keyedVerifier } from './keyed-signer.ts';
import type { Message } from './message.ts';
import type { SimNode } from './node.ts';

/** How far above what is stacked a Block may come early. */
const EARLY_MAX = 256;
const WANTED_MAX = 4096;

/** A Block as it came; of a hand-over Block the payload too, where it is held. */
interface Came {
  readonly block: Block;
  readonly held: boolean;
  readonly payload?: Uint8Array;
}

/**
 * A small Block Stack: each Causal Group in its order. Where one forks, the first branch to come is
 * stacked; of the others what the core asks for, and a proof of the fork travels to all.
 */
export class BlockStack {
  private readonly node: SimNode;
  private readonly early = new Map<string, Came>();
  private readonly wanted = new Set<BlockId>();

  constructor(node: SimNode) {
    this.node = node;
  }

  clear(): void {
    this.early.clear();
    this.wanted.clear();
  }

  /** The core asks for these, on whatever branch they are. */
  want(blocks: readonly BlockId[]): void {
    if (this.wanted.size > WANTED_MAX) this.wanted.clear();
    for (const id of blocks) this.wanted.add(id);
  }

  observe(came: Came, from: SimNode | null): void {
    const { block } = came;
    const { store } = this.node;
    if (!isGenuine(block)) return;
    const group = store.groups.find((each) => each.id === block.group);
    if (group === undefined) {
      this.node.feed({ kind: 'block', block, held: false }, null);
      return;
    }
    if (!group.owners.includes(block.issuer)) return;
    if (block.sequence <= store.cutSequence(block.group, block.issuer)) return;
    const held = came.held && this.node.succession.judge(group, block, came.payload);
    if (isHandOver(block) && came.held && !held) return;
    if (isHandOver(block) && held) store.payloads.set(block.id, came.payload!);
    const isOver = store.ended.has(block.group) && !store.retired.has(block.group);
    const known = store.blocks.get(block.id);
    if (known !== undefined) {
      if (known.held || !held) return;
      known.held = true;
      this.hand(block, true);
      this.node.succession.onPayload(group, block);
      return;
    }
    // What came too late to be final before the hand-over never will be.
    if (isOver) {
      this.node.feed({ kind: 'block', block, held: false }, null);
      return;
    }
    const stacked = store.causalGroup(block.group, block.issuer);
    if (this.wanted.has(block.id)) this.observeWanted(block, held, from);
    else if (block.sequence > stacked.length + 1) this.keepEarly({ ...came, held });
    else if (this.continues(block)) this.put(block, held, from);
    else this.observeBranch(block, from);
  }

  /** A Block continues its Causal Group as it is known here. */
  private continues(block: Block): boolean {
    const { store } = this.node;
    const stacked = store.causalGroup(block.group, block.issuer);
    if (block.sequence !== stacked.length + 1) return false;
    return block.previous === store.tip(block.group, block.issuer);
  }

  private keepEarly(came: Came): void {
    const { block } = came;
    const count = this.node.store.causalGroup(block.group, block.issuer).length;
    if (block.sequence <= count + EARLY_MAX) this.early.set(earlyKey(block, 0), came);
  }

  private put(block: Block, held: boolean, from: SimNode | null): void {
    const { node } = this;
    node.store.stack(block, held);
    if (node.around.relays) node.relay(blockMessage(node.store, block.id)!, from);
    this.hand(block, held);
    const next = this.early.get(earlyKey(block, 1));
    if (next === undefined || node.state === null) return;
    this.early.delete(earlyKey(block, 1));
    this.observe(next, from);
  }

  private observeWanted(block: Block, held: boolean, from: SimNode | null): void {
    if (this.continues(block)) {
      this.put(block, held, from);
      return;
    }
    const isEarly = block.sequence > this.node.store.causalGroup(block.group, block.issuer).length;
    if (isEarly && !this.node.store.forks.has(block.group + block.issuer)) {
      // Perhaps it is only early: what comes before it tells.
      this.keepEarly({ block, held });
      this.ask(block.previous, from);
      return;
    }
    this.wanted.delete(block.id);
    this.node.store.stackBranch(block, held);
    this.observeBranch(block, from);
    this.hand(block, held);
  }

  /** Looks for the place where the branch of this Block leaves the own one. */
  private observeBranch(block: Block, from: SimNode | null): void {
    const { store } = this.node;
    for (let at: Block | undefined = block; at !== undefined; ) {
      if (store.isCovered(at)) return;
      const own: Block | undefined = store.causalGroup(at.group, at.issuer)[at.sequence - 1];
      if (own?.id === at.id) return;
      if (own !== undefined && own.previous === at.previous) {
        this.observeProof([own, at], from);
        return;
      }
      if (at.previous === null) return;
      const before: Block | undefined = store.blocks.get(at.previous)?.block;
      if (before === undefined) this.ask(at.previous, from);
      at = before;
    }
  }

  private ask(id: BlockId | null, from: SimNode | null): void {
    if (id === null || from === null) return;
    this.node.tell(from, { kind: 'want', metablocks: [], blocks: [id] });
  }

  observeProof(blocks: readonly [Block, Block], from: SimNode | null): void {
    const [a, b] = blocks;
    const { group, issuer } = a;
    const isProof =
      a.id !== b.id && b.group === group && b.issuer === issuer && a.sequence === b.sequence;
    if (!isProof || a.previous !== b.previous || !isGenuine(a) || !isGenuine(b)) return;
    const lastGood = (a.sequence - 1) as CausalSequence;
    if (!this.node.store.putFork({ group, issuer, lastGood, blocks })) return;
    const message: Message = { kind: 'fork-proof', blocks };
    this.node.relay(message, from);
    this.node.feed({ kind: 'fork-proof', group, issuer, lastGood }, null);
  }

  /** To the core; a group of one owner needs none. */
  hand(block: Block, held: boolean): void {
    const { node } = this;
    if (!node.store.isAlone(block.group)) {
      node.feed({ kind: 'block', block, held }, null);
      return;
    }
    if (node.store.blocks.get(block.id)?.isFinal === true) return;
    node.store.finalizeAlone(block);
    node.around.checker.onAlone(node.id, block);
    node.around.onFinal(node, block);
  }
}

function isGenuine(block: Block): boolean {
  return keyedVerifier.verify(fromHex(block.issuer), signedBytesOf(block), block.signature);
}

function earlyKey(block: Block, after: number): string {
  return `${block.group}${block.issuer}${block.sequence + after}`;
}
