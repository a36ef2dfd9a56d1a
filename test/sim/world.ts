import type { ConsensusContext } from '../../src/consensus/metablockchain.ts';
import { DEFAULT_SETTINGS } from '../../src/consensus/metablockchain.ts';
import type { VoteRules } from '../../src/consensus/vote-rules.ts';
import { TwinConflicts } from '../../src/kernel/twin-conflicts.ts';
import type { Block, BlockId } from '../../src/model/block.ts';
import { toHex32 } from '../../src/model/bytes.ts';
import { makeSyncGroup, type SyncGroup } from '../../src/model/sync-group.ts';
import { Checker, Violation } from './checker.ts';
import { KeyedSigner, keyedVerifier, sha256 } from './keyed-signer.ts';
import type { Message } from './message.ts';
import { SimNode } from './node.ts';
import { Prng } from './prng.ts';
import { drawFaults, type Faults, type Scenario } from './scenario.ts';
import type { Surroundings } from './surroundings.ts';
import { VirtualTime } from './virtual-time.ts';
import { WILD } from './wild.ts';

/** Between two digests of one Participant. */
const DIGEST_MS = 200;
/** Between two deeds of a wild owner, at most. */
const WILD_MS = 40;

export interface Report {
  readonly levels: number;
  readonly blocks: number;
  readonly ballots: number;
  readonly messages: number;
  /** Virtual time from healing until all was final. */
  readonly healedMs: number;
  /** From issuing to finality at the issuer, per Block, in milliseconds. */
  readonly finalityMs: readonly number[];
}

/** A World of simulated Participants, driven from one seed. */
export class SimWorld {
  readonly scenario: Scenario;
  readonly prng: Prng;
  readonly time = new VirtualTime();
  readonly checker = new Checker();
  readonly faults: Faults;
  readonly groups: SyncGroup[];
  readonly nodes: SimNode[];
  /** Participants that are down for good are not waited for. */
  readonly dead: ReadonlySet<SimNode>;
  messages = 0;
  readonly finalityMs: number[] = [];
  private isHealed = false;
  private isolated: ReadonlySet<SimNode> | null = null;
  private readonly issued = new Map<BlockId, { readonly block: Block; readonly atMs: number }>();

  constructor(scenario: Scenario, seed: number, rules?: VoteRules) {
    this.scenario = scenario;
    this.prng = new Prng(seed);
    const drawn = drawFaults(this.prng);
    this.faults = { ...drawn, ...scenario.faults };
    const signers = Array.from(
      { length: scenario.participants },
      (_, index) => new KeyedSigner(`participant ${index} of ${seed}`),
    );
    this.groups = scenario.groups.map(({ owners, quorumPolicy, availability }, index) =>
      makeSyncGroup(
        sha256,
        {
          pact: toHex32(sha256(new TextEncoder().encode(`pact ${index} of ${seed}`))),
          quorumPolicy: quorumPolicy ?? 'two-thirds',
          availability: availability ?? 'entries',
        },
        owners.map((owner) => signers[owner]!.id),
      ),
    );
    const settings = { ...DEFAULT_SETTINGS, ...scenario.settings };
    this.nodes = signers.map((signer, index) => {
      const context: ConsensusContext = {
        self: signer.id,
        signer,
        verifier: keyedVerifier,
        hash: sha256,
        conflicts: new TwinConflicts(),
        settings,
        passive: scenario.wild === true,
        ...(rules === undefined ? {} : { rules }),
      };
      const held = this.groups.filter((_group, at) => {
        const plan = scenario.groups[at]!;
        return plan.owners.includes(index) || plan.subscribers?.includes(index) === true;
      });
      const skew = this.prng.between(-this.faults.skew, this.faults.skew);
      const clock = { offsetMs: this.prng.between(0, 1e6), rate: 1 + skew };
      return new SimNode(this.surroundings(), context, { signer, groups: held, clock });
    });
    this.dead = new Set((scenario.dead ?? []).map((index) => this.nodes[index]!));
  }

  private surroundings(): Surroundings {
    return {
      time: this.time,
      prng: this.prng,
      checker: this.checker,
      crashChance: () => (this.isHealed ? 0 : this.faults.crash),
      peersOf: (node) => this.peersOf(node),
      send: (from, to, message) => this.send(from, to, message),
      onCrash: (node) => {
        this.time.after(this.prng.between(1, this.faults.downMs), () => {
          if (node.state === null) node.start();
        });
      },
      onBlock: (block) => this.issued.set(block.id, { block, atMs: this.time.nowMs }),
      onFinal: (node, block) => {
        const atMs = this.issued.get(block.id)?.atMs;
        if (node.id === block.issuer && atMs !== undefined) {
          this.finalityMs.push(this.time.nowMs - atMs);
        }
      },
      relays: this.scenario.topology === 'ring',
      headerFirst: this.faults.headerFirst,
    };
  }

  private peersOf(node: SimNode): SimNode[] {
    if (this.scenario.topology !== 'ring') return this.nodes.filter((each) => each !== node);
    const at = this.nodes.indexOf(node);
    const count = this.nodes.length;
    return [...new Set([this.nodes[(at + 1) % count]!, this.nodes[(at + count - 1) % count]!])];
  }

  private isCut(a: SimNode, b: SimNode): boolean {
    return this.isolated !== null && this.isolated.has(a) !== this.isolated.has(b);
  }

  private send(from: SimNode, to: SimNode, message: Message): void {
    const { prng, faults, time } = this;
    this.messages++;
    if (!this.isHealed && (this.isCut(from, to) || prng.chance(faults.loss))) return;
    const copies = !this.isHealed && prng.chance(faults.duplication) ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      const delayMs = prng.between(faults.delayMinMs, faults.delayMaxMs);
      time.after(delayMs, () => {
        if (!this.isHealed && this.isCut(from, to)) return;
        to.receive(message, from);
      });
    }
  }

  /** Everybody but the dead and the late is up, and digests and Blocks begin to flow. */
  start(loadMs: number): void {
    const late = new Set((this.scenario.late ?? []).map((index) => this.nodes[index]!));
    for (const node of this.nodes) {
      if (!this.dead.has(node) && !late.has(node)) node.start();
      const tell = () => {
        node.tellDigest();
        this.time.after(DIGEST_MS, tell);
      };
      this.time.after(this.prng.between(0, DIGEST_MS), tell);
    }
    for (const [index, group] of this.groups.entries()) {
      for (const owner of this.scenario.groups[index]!.owners) {
        this.load(this.nodes[owner]!, group, loadMs);
      }
    }
    if (this.faults.partitionsPerSecond > 0) this.cutLater();
    if (this.scenario.wild === true) for (const node of this.nodes) this.runWild(node);
  }

  private load(node: SimNode, group: SyncGroup, untilMs: number): void {
    if (this.scenario.allAtOnce === true) this.time.at(1, () => node.issueBlock(group));
    const rate = this.scenario.blocksPerSecond ?? 2;
    if (rate === 0) return;
    const next = () => {
      const waitMs = this.prng.between(0, 2000 / rate);
      if (this.time.nowMs + waitMs > untilMs) return;
      this.time.after(waitMs, () => {
        node.issueBlock(group);
        next();
      });
    };
    next();
  }

  private runWild(node: SimNode): void {
    if (this.isHealed) return;
    WILD.act(node, this.prng);
    this.time.after(this.prng.between(0, WILD_MS), () => this.runWild(node));
  }

  private cutLater(): void {
    this.time.after(this.prng.between(0, 2000 / this.faults.partitionsPerSecond), () => {
      if (this.isHealed) return;
      this.isolated = new Set(this.nodes.filter(() => this.prng.chance(0.5)));
      this.time.after(this.prng.between(10, this.faults.partitionMs), () => {
        this.isolated = null;
        this.cutLater();
      });
    });
  }

  /** No more faults; all who are not dead are up. */
  heal(): void {
    this.isHealed = true;
    this.isolated = null;
    for (const node of this.nodes) {
      const wasWild = node.context.passive === true;
      node.context = { ...node.context, passive: false };
      if (!this.dead.has(node) && (wasWild || node.state === null)) node.start();
    }
  }

  /** Is every Block that an owner made durable final at everybody who holds its group? */
  isAllFinal(): boolean {
    for (const { block } of this.issued.values()) {
      for (const node of this.nodes) {
        if (this.dead.has(node) || !node.store.groups.some((each) => each.id === block.group)) {
          continue;
        }
        if (node.store.blocks.get(block.id)?.isFinal !== true) return false;
      }
    }
    return true;
  }

  /** What is not final, for a message that helps. */
  stuck(): string {
    const lines = this.nodes.map((node) => {
      const groups = node.store.groups.map((group) => {
        const chain = node.store.chains.get(group.id)!.length;
        return `${group.id.slice(0, 4)} R${node.ballotOf(group.id)} levels ${chain}`;
      });
      return `${node.id.slice(0, 4)}${node.state === null ? ' down' : ''}: ${groups.join('; ')}`;
    });
    return lines.join('\n');
  }

  get blocksIssued(): number {
    return this.issued.size;
  }

  /** Runs until everything is final. @throws Violation where that takes longer than `withinMs`. */
  settle(withinMs: number): number {
    const fromMs = this.time.nowMs;
    const endMs = fromMs + withinMs;
    let checkAtMs = fromMs;
    let isDone = this.isAllFinal();
    this.time.run(endMs, () => {
      if (this.time.nowMs < checkAtMs) return false;
      checkAtMs = this.time.nowMs + 20;
      isDone = this.isAllFinal();
      return isDone;
    });
    if (!isDone) throw new Violation(`not final ${withinMs} ms after healing\n${this.stuck()}`);
    return this.time.nowMs - fromMs;
  }

  /** An idle World is silent: after some time to come to rest nothing at all is sent. */
  checkSilence(restMs: number): void {
    this.time.run(this.time.nowMs + restMs);
    const before = this.messages;
    this.time.run(this.time.nowMs + 60_000);
    if (this.messages !== before && this.dead.size === 0) {
      throw new Violation(`an idle World sent ${this.messages - before} messages in a minute`);
    }
  }
}
