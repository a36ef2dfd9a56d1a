import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { FORK_BRANCHES_MAX, joinBranches } from '../../src/log/fork-proof.ts';
import { type Log, makeLog } from '../../src/log/log.ts';
import type { LogHistory, LogMessage, LogName, MessageId } from '../../src/log/message.ts';
import type { Walked } from '../../src/log/walk.ts';
import { type Block, encodeBlockHeader, sealBlock } from '../../src/model/block.ts';
import { concatBytes, equalBytes, fromHex, type Hex32 } from '../../src/model/bytes.ts';
import type { CausalSequence } from '../../src/model/numbers.ts';
import type { Verifier } from '../../src/ports/signer.ts';

export const hash = (message: Uint8Array): Uint8Array =>
  Uint8Array.from(createHash('sha256').update(message).digest());

const id = (byte: string): Hex32 => byte.repeat(32) as Hex32;

export const GROUP = id('a0');
export const OTHER_GROUP = id('a1');
export const AUTHORS = [id('b0'), id('b1'), id('b2'), id('b3')] as const;
export const NAME: LogName = { group: GROUP, author: AUTHORS[0] };

/** Stands in for a key: what only its owner can make is what no test makes in another's name. */
const signatureOf = (author: Uint8Array, signed: Uint8Array): Uint8Array => {
  const digest = hash(concatBytes(author, signed));
  return concatBytes(digest, digest);
};

export const verifier: Verifier = {
  verify: (author, signed, signature) => equalBytes(signature, signatureOf(author, signed)),
};

export interface Draft {
  readonly previous: LogMessage | null;
  readonly mark: number;
  readonly author?: Hex32;
  readonly group?: Hex32;
  readonly sequence?: number;
  readonly dependencies?: readonly LogMessage[];
  readonly signer?: Hex32;
}

/** A signed message; `mark` tells apart those of one place. */
export function makeMessage(draft: Draft): Block {
  const issuer = draft.author ?? NAME.author;
  const header = {
    group: draft.group ?? GROUP,
    issuer,
    sequence: (draft.sequence ?? (draft.previous?.sequence ?? 0) + 1) as CausalSequence,
    previous: draft.previous?.id ?? null,
    dependencies: (draft.dependencies ?? []).map((each) => each.id).sort(),
    entryCount: 1,
    byteLength: 8,
    merkleRoot: new Uint8Array(32),
    atMs: draft.mark,
  };
  const signer = fromHex(draft.signer ?? issuer);
  return sealBlock(hash, header, signatureOf(signer, encodeBlockHeader(header)));
}

/** Messages by id, and one branch by sequence, as a store keeps them. */
export class Shelf implements LogHistory {
  readonly messages = new Map<MessageId, LogMessage>();
  readonly trunk: LogMessage[] = [];
  lookUps = 0;

  constructor(messages: readonly LogMessage[] = [], trunkTip: LogMessage | null = null) {
    for (const each of messages) this.messages.set(each.id, each);
    for (let at = trunkTip; at !== null; at = at.previous === null ? null : this.find(at.previous))
      this.trunk.unshift(at);
  }

  private find(id: MessageId): LogMessage {
    return this.messages.get(id)!;
  }

  message(id: MessageId): LogMessage | undefined {
    this.lookUps += 1;
    return this.messages.get(id);
  }

  trunkAt(log: LogName, sequence: CausalSequence): MessageId | undefined {
    this.lookUps += 1;
    const there = this.trunk[sequence - 1];
    return there?.group === log.group && there.issuer === log.author ? there.id : undefined;
  }
}

/** A log as its author made it: every branch, and a history with or without a trunk. */
export interface Tree {
  readonly nodes: readonly Block[];
  readonly history: Shelf;
}

/**
 * What each message after the first follows: the n-th before it, or the n-th of all, so that many
 * branches leave one place; 0 for none, a first message once more.
 */
const shape = fc.record({
  steps: fc.array(
    fc.oneof(
      { weight: 4, arbitrary: fc.constant({ back: 1 }) },
      { weight: 2, arbitrary: fc.record({ back: fc.nat(12) }) },
      { weight: 3, arbitrary: fc.record({ place: fc.nat(2) }) },
    ),
    { maxLength: 16 },
  ),
  trunk: fc.option(fc.nat(), { nil: null }),
});

/** Trees with long branches, several forks, nested ones, and forks at the first message. */
export const trees: fc.Arbitrary<Tree> = shape.map(({ steps, trunk }) => {
  const nodes: Block[] = [makeMessage({ previous: null, mark: 0 })];
  for (const step of steps) {
    const isFirst = 'back' in step && step.back === 0;
    const index = 'back' in step ? nodes.length - step.back : step.place;
    const previous = isFirst ? null : (nodes[Math.max(0, index)] ?? nodes[0]!);
    nodes.push(makeMessage({ previous, mark: nodes.length }));
  }
  const tip = trunk === null ? null : nodes[trunk % nodes.length]!;
  return { nodes, history: new Shelf(nodes, tip) };
});

export function childrenOf(nodes: readonly LogMessage[], previous: MessageId | null): LogMessage[] {
  return nodes.filter((each) => each.previous === previous);
}

/** A message and all before it. */
export function pathTo(nodes: readonly LogMessage[], tip: LogMessage): LogMessage[] {
  const path = [tip];
  for (let at = tip; at.previous !== null; path.unshift(at))
    at = nodes.find((each) => each.id === at.previous)!;
  return path;
}

/**
 * The state that knowing some messages amounts to, by definition and from the front: go on while
 * there is one way to go.
 */
export function stateOf(nodes: readonly LogMessage[], known: readonly LogMessage[]): Log {
  const closed = [...new Set(known.flatMap((each) => pathTo(nodes, each)))];
  let last: LogMessage | null = null;
  for (;;) {
    const next: LogMessage[] = childrenOf(closed, last?.id ?? null);
    if (next.length === 1) {
      last = next[0]!;
      continue;
    }
    const forks = next.length === 0 ? null : joinBranches(next);
    return { ...makeLog(NAME, last), forks };
  }
}

/** Every state that some knowledge of the tree amounts to; of proofs with many branches, a few. */
export function statesOf({ nodes }: Tree): Log[] {
  const states: Log[] = [makeLog(NAME), ...nodes.map((each) => makeLog(NAME, each))];
  for (const place of [null, ...nodes]) {
    const branches = childrenOf(nodes, place?.id ?? null);
    for (let count = 2; count <= Math.min(branches.length, FORK_BRANCHES_MAX); count++) {
      for (let from = 0; from + count <= branches.length; from++) {
        const forks = joinBranches(branches.slice(from, from + count));
        states.push({ ...makeLog(NAME, place), forks });
      }
    }
  }
  return states;
}

/** A tree and some of its states, any of them several times. */
export const treesWithStates = (count: number): fc.Arbitrary<{ tree: Tree; states: Log[] }> =>
  trees.chain((tree) => {
    const all = statesOf(tree);
    return fc.record({
      tree: fc.constant(tree),
      states: fc.array(fc.constantFrom(...all), { minLength: count, maxLength: count }),
    });
  });

/** A tree and messages of it in an order of their own, some of them several times. */
export const treesWithMessages: fc.Arbitrary<{ tree: Tree; picked: Block[] }> = trees.chain(
  (tree) =>
    fc.record({
      tree: fc.constant(tree),
      picked: fc.array(fc.constantFrom(...tree.nodes), { maxLength: 20 }),
    }),
);

/** The answer to a question that the history of a tree can always tell. */
export function told<Value>(walked: Walked<Value>): Value {
  if (!walked.ok) throw new Error(`the walk ended: ${walked.reason}`);
  return walked.value;
}
