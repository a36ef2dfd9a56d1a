import {
  type ChainView,
  derivePromises,
  firstBrokenRule,
  type Promises,
  type VoteRules,
} from '../../src/consensus/vote-rules.ts';
import type { MetablockId } from '../../src/model/metablock.ts';
import type { Ballot } from '../../src/model/numbers.ts';
import { deriveQuorum } from '../../src/model/sync-group.ts';
import { Prng } from './prng.ts';

/** One group to explore. */
export interface Exploration {
  readonly owners: number;
  /** The first of them, who vote for everything at every Ballot. */
  readonly liars: number;
  /** Attempts to do something in one walk. */
  readonly moves: number;
  readonly metablocksMax: number;
  readonly ballotsMax: number;
}

export const EXPLORATION: Exploration = {
  owners: 4,
  liars: 1,
  moves: 60,
  metablocksMax: 6,
  ballotsMax: 6,
};

interface Node {
  readonly id: MetablockId;
  readonly parent: Node | null;
  readonly level: number;
  /** Honest owners that certified it, by Ballot. */
  readonly votes: Map<Ballot, Set<number>>;
  readonly finalizableBallots: Ballot[];
  isFinal: boolean;
}

/** What one honest owner promised, and the highest Metablock that it knows to be Finalized. */
interface Owner {
  promises: Promises;
  finalized: Node | null;
}

const NONE: Promises = {
  ballot: 0 as Ballot,
  votedBallot: 0 as Ballot,
  votes: [],
  lock: null,
};

function isAbove(ancestor: Node, descendant: Node): boolean {
  let at = descendant.parent;
  while (at !== null && at.level > ancestor.level) at = at.parent;
  return at === ancestor;
}

function areOnOneChain(a: Node, b: Node): boolean {
  return a === b || isAbove(a, b) || isAbove(b, a);
}

/**
 * One random walk. Honest owners certify anything, at any Ballot, that the vote rules allow; what
 * is Finalizable all know at once, which allows the most; what is Finalized each learns at random
 * and late, without which V2 and V3b would never be needed.
 *
 * @source consensus.md 9, driver (b).
 */
export class Walk {
  readonly nodes: Node[] = [];
  private readonly byId = new Map<MetablockId, Node>();
  private readonly plan: Exploration;
  private readonly rules: VoteRules;
  private readonly prng: Prng;
  private readonly honest: Owner[];
  private readonly quorum: number;
  votes = 0;

  constructor(plan: Exploration, rules: VoteRules, seed: number) {
    this.plan = plan;
    this.rules = rules;
    this.prng = new Prng(seed);
    this.quorum = deriveQuorum(plan.owners, 'two-thirds');
    this.honest = Array.from({ length: plan.owners - plan.liars }, () => ({
      promises: NONE,
      finalized: null,
    }));
  }

  /** @returns two final Metablocks that are rivals, or null. */
  run(): readonly [MetablockId, MetablockId] | null {
    for (let move = 0; move < this.plan.moves; move++) {
      if (this.nodes.length < 2 || (this.hasRoom() && this.prng.chance(0.15))) this.prepare();
      else if (this.prng.chance(0.1)) this.learn();
      else this.vote();
      const fork = this.findFork();
      if (fork !== null) return fork;
    }
    return null;
  }

  private hasRoom(): boolean {
    return this.nodes.length < this.plan.metablocksMax;
  }

  private prepare(): void {
    const parent = this.prng.chance(0.25) ? null : (this.prng.pick([null, ...this.nodes]) ?? null);
    const id = String(this.nodes.length) as MetablockId;
    const level = (parent?.level ?? -1) + 1;
    const node = { id, parent, level, votes: new Map(), finalizableBallots: [], isFinal: false };
    this.nodes.push(node);
    this.byId.set(id, node);
  }

  private learn(): void {
    const finals = this.nodes.filter((node) => node.isFinal);
    if (finals.length === 0) return;
    const owner = this.prng.pick(this.honest);
    const learned = this.prng.pick(finals);
    if (owner.finalized === null || isAbove(owner.finalized, learned)) owner.finalized = learned;
  }

  private vote(): void {
    const index = this.prng.below(this.honest.length);
    const owner = this.honest[index]!;
    const chain = this.viewOf(owner);
    const ballot = this.pickBallot(owner);
    for (const node of this.prng.shuffle(this.nodes)) {
      const vote = { metablock: node.id, ballot };
      if (node.votes.get(ballot)?.has(index) === true) continue;
      if (firstBrokenRule(this.rules, owner.promises, chain, vote) !== null) continue;
      owner.promises = derivePromises(owner.promises, chain, vote);
      this.count(node, ballot, index);
      return;
    }
  }

  /**
   * Its own, the highest of all, or one more: owners that never meet at a Ballot decide nothing.
   * Now and then one that is over, which the rules forbid.
   */
  private pickBallot(owner: Owner): Ballot {
    const highest = Math.max(...this.honest.map((each) => each.promises.ballot));
    const own = owner.promises.ballot;
    const over = this.prng.below(own + 1);
    const ballot = this.prng.pick([own, own, own, highest, highest, own + 1, over]);
    return Math.min(ballot, this.plan.ballotsMax) as Ballot;
  }

  private count(node: Node, ballot: Ballot, owner: number): void {
    const voters = node.votes.get(ballot) ?? new Set();
    node.votes.set(ballot, voters.add(owner));
    this.votes++;
    if (voters.size + this.plan.liars < this.quorum) return;
    if (node.finalizableBallots.includes(ballot)) return;
    node.finalizableBallots.push(ballot);
    if (node.parent !== null) node.parent.isFinal = true;
  }

  private viewOf(owner: Owner): ChainView {
    const of = (id: MetablockId) => this.byId.get(id)!;
    const { finalized } = owner;
    return {
      isKnown: () => true,
      predecessorOf: (id) => of(id).parent?.id ?? null,
      isAncestor: (a, b) => isAbove(of(a), of(b)),
      isFinalized: (id) =>
        finalized !== null && (of(id) === finalized || isAbove(of(id), finalized)),
      isWithFinalized: (id) => finalized === null || areOnOneChain(of(id), finalized),
      finalizableBallots: (id) => of(id).finalizableBallots,
      isAvailable: () => true,
    };
  }

  private findFork(): readonly [MetablockId, MetablockId] | null {
    const finals = this.nodes.filter((node) => node.isFinal);
    for (const [index, a] of finals.entries()) {
      for (const b of finals.slice(index + 1)) if (!areOnOneChain(a, b)) return [a.id, b.id];
    }
    return null;
  }
}

/** @returns the first seed whose walk forks, or null after `walks` of them. */
export function explore(
  rules: VoteRules,
  walks: number,
  plan: Exploration = EXPLORATION,
): number | null {
  for (let seed = 1; seed <= walks; seed++) {
    if (new Walk(plan, rules, seed).run() !== null) return seed;
  }
  return null;
}
