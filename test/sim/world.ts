import type { ConsensusContext } from '../../src/consensus/metablockchain.ts';
import { DEFAULT_SETTINGS } from '../../src/consensus/metablockchain.ts';
import { TwinConflicts } from '../../src/kernel/twin-conflicts.ts';
import { type Block, type BlockId, isHandOver } from '../../src/model/block.ts';
import { toHex32 } from '../../src/model/bytes.ts';
import { invariant } from '../../src/model/invariant.ts';
import {
  deriveQuorum,
  type GroupId,
  makeSyncGroup,
  type SyncGroup,
} from '../../src/model/sync-group.ts';
import { Checker, Stall } from './checker.ts';
import { KeyedSigner, keyedVerifier, sha256 } from './keyed-signer.ts';
import { LIAR_KINDS, LIARS } from './liars/kinds.ts';
import type { Message } from './message.ts';
import type { Mutation } from './mutation.ts';
import { SimNode } from './node.ts';
import { Prng } from './prng.ts';
import { drawFaults, type Faults, type Scenario } from './scenario.ts';
import { planSuccessions } from './succession-plan.ts';
import type { Surroundings } from './surroundings.ts';
import { VirtualTime } from './virtual-time.ts';
import { WILD } from './wild.ts';

/** Between two digests of one Participant. */
const DIGEST_MS = 200;
/** Between two deeds of a wild owner, at most. */
const WILD_MS = 40;
/** Between two deeds of a liar, at most. */
const LIAR_MS = 100;

export interface Report {
  readonly levels: number;
  readonly blocks: number;
  readonly ballots: number;
  readonly messages: number;
  /** Groups that were handed over; cuts that somebody began at, and false ones that were seen. */
  readonly handOvers: number;
  readonly beginnings: number;
  readonly falseCuts: number;
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
  /** Participants that are down for good are not waited for; deaths add to them. */
  readonly dead: Set<SimNode>;
  /** Down for a while. */
  private readonly away = new Set<SimNode>();
  messages = 0;
  /** Is shown what is sent. */
  onMessage: ((message: Message) => void) | null = null;
  /** Is shown what the core of a Participant is given, before it is. */
  onStep: Surroundings['onStep'] | null = null;
  readonly finalityMs: number[] = [];
  private isHealed = false;
  private isolated: ReadonlySet<SimNode> | null = null;
  private readonly neighbours = new Map<SimNode, readonly SimNode[]>();
  private readonly issued = new Map<BlockId, { readonly block: Block; readonly atMs: number }>();

  constructor(scenario: Scenario, seed: number, mutation: Mutation = {}) {
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
    const { withoutCutQuorum, withoutApprovals, ...rules } = mutation;
    const around = this.surroundings({ withoutCutQuorum, withoutApprovals });
    this.nodes = signers.map((signer, index) => {
      const context: ConsensusContext = {
        self: signer.id,
        signer,
        verifier: keyedVerifier,
        hash: sha256,
        conflicts: new TwinConflicts(),
        settings,
        passive: scenario.wild === true,
        ...rules,
      };
      const held = this.groups.filter((_group, at) => {
        const plan = scenario.groups[at]!;
        return plan.owners.includes(index) || plan.subscribers?.includes(index) === true;
      });
      const skew = this.prng.between(-this.faults.skew, this.faults.skew);
      const clock = { offsetMs: this.prng.between(0, 1e6), rate: 1 + skew };
      const kind = scenario.liars?.[index];
      const drawnKind = kind === 'any' ? this.prng.pick(LIAR_KINDS) : kind;
      const liar = drawnKind === undefined ? null : LIARS[drawnKind](this.prng);
      return new SimNode(around, context, { signer, groups: held, clock, liar });
    });
    for (const group of this.groups) {
      const liars = this.nodes.filter(({ id, liar }) => liar !== null && group.owners.includes(id));
      invariant(liars.length < group.owners.length / 3, 'fewer than a third of a group are liars');
    }
    this.dead = new Set((scenario.dead ?? []).map((index) => this.nodes[index]!));
  }

  private surroundings({
    withoutCutQuorum,
    withoutApprovals,
  }: Pick<
    { [Name in keyof Mutation]: Mutation[Name] | undefined },
    'withoutCutQuorum' | 'withoutApprovals'
  >): Surroundings {
    return {
      time: this.time,
      prng: this.prng,
      checker: this.checker,
      crashChance: () => (this.isHealed ? 0 : this.faults.crash),
      peersOf: (node) => this.peersOf(node),
      send: (from, to, message) => this.send(from, to, message),
      onCrash: (node) => {
        this.time.after(this.prng.between(1, this.faults.downMs), () => {
          const isDown = node.state === null && !this.dead.has(node) && !this.away.has(node);
          if (isDown) node.start();
        });
      },
      onBlock: (block) => this.issued.set(block.id, { block, atMs: this.time.nowMs }),
      onFinal: (node, block) => {
        const atMs = this.issued.get(block.id)?.atMs;
        if (node.id === block.issuer && atMs !== undefined) {
          this.finalityMs.push(this.time.nowMs - atMs);
        }
      },
      onMoved: (from, to) => this.checker.onMoved(from, to),
      onGroup: (group) => {
        if (!this.groups.some(({ id }) => id === group.id)) this.groups.push(group);
      },
      cutQuorum: ({ owners, quorumPolicy }) =>
        withoutCutQuorum === true ? 1 : deriveQuorum(owners.length, quorumPolicy),
      judgesApprovals: withoutApprovals !== true,
      memory: this.scenario.memory ?? null,
      onStep: (node, event, nowMs) => this.onStep?.(node, event, nowMs),
      relays: this.scenario.topology === 'ring',
      headerFirst: this.faults.headerFirst,
    };
  }

  private peersOf(node: SimNode): readonly SimNode[] {
    if (this.scenario.topology === 'groups') return this.neighboursOf(node);
    if (this.scenario.topology !== 'ring') return this.nodes.filter((each) => each !== node);
    const at = this.nodes.indexOf(node);
    const count = this.nodes.length;
    return [...new Set([this.nodes[(at + 1) % count]!, this.nodes[(at + count - 1) % count]!])];
  }

  private neighboursOf(node: SimNode): readonly SimNode[] {
    let neighbours = this.neighbours.get(node);
    if (neighbours === undefined) {
      const shared = this.scenario.groups.map(({ owners, subscribers }) =>
        [...owners, ...(subscribers ?? [])].map((index) => this.nodes[index]!),
      );
      const near = shared.filter((each) => each.includes(node)).flat();
      neighbours = [...new Set(near)].filter((each) => each !== node);
      this.neighbours.set(node, neighbours);
    }
    return neighbours;
  }

  private isCut(a: SimNode, b: SimNode): boolean {
    return this.isolated !== null && this.isolated.has(a) !== this.isolated.has(b);
  }

  private send(from: SimNode, to: SimNode, message: Message): void {
    const { prng, faults, time } = this;
    this.messages++;
    this.onMessage?.(message);
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
        if (node.state !== null && node.liar === null) {
          this.checker.checkSize(node.state, node.context.settings);
        }
        this.time.after(DIGEST_MS, tell);
      };
      this.time.after(this.prng.between(0, DIGEST_MS), tell);
    }
    for (const [index, group] of this.groups.entries()) {
      const plans = (this.scenario.handOvers ?? []).filter((plan) => plan.group === index);
      const pushers = [
        ...this.scenario.groups[index]!.owners,
        ...plans.flatMap(({ owners }) => owners),
      ];
      for (const owner of new Set(pushers)) this.load(this.nodes[owner]!, group, loadMs);
    }
    planSuccessions(this);
    for (const { who, fromToMs } of this.scenario.absences ?? []) {
      const [fromMs, toMs] = fromToMs;
      const node = this.nodes[who]!;
      this.time.at(fromMs!, () => {
        this.away.add(node);
        node.state = null;
      });
      this.time.at(toMs!, () => {
        this.away.delete(node);
        if (node.state === null) node.start();
      });
    }
    for (const { who, atMs } of this.scenario.deaths ?? []) {
      this.time.at(atMs, () => this.kill(this.nodes[who]!));
    }
    for (const node of this.nodes) if (node.liar !== null) this.runLiar(node);
    if (this.faults.partitionsPerSecond > 0) this.cutLater();
    if (this.scenario.wild === true)
      for (const node of this.nodes) if (node.liar === null) this.runWild(node);
  }

  private load(node: SimNode, group: SyncGroup, untilMs: number): void {
    if (this.scenario.allAtOnce === true) this.time.at(1, () => node.issueBlock(group));
    const plan = this.scenario.groups[this.groups.indexOf(group)]!;
    const rate = plan.blocksPerSecond ?? this.scenario.blocksPerSecond ?? 2;
    const [quietFromMs, quietToMs] = plan.quietMs ?? [0, 0];
    if (rate === 0) return;
    const next = () => {
      const waitMs = this.prng.between(0, 2000 / rate);
      if (this.time.nowMs + waitMs > untilMs) return;
      this.time.after(waitMs, () => {
        const { nowMs } = this.time;
        if (nowMs < quietFromMs || nowMs >= quietToMs) node.issueBlock(group);
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

  /** Liars lie on after the network has healed. */
  private runLiar(node: SimNode): void {
    if (node.state !== null) node.liar?.act(node, this.prng);
    this.time.after(this.prng.between(0, LIAR_MS), () => this.runLiar(node));
  }

  private kill(node: SimNode): void {
    this.dead.add(node);
    node.state = null;
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

  private isAwaited(node: SimNode): boolean {
    return !this.dead.has(node) && node.liar === null;
  }

  /** Groups of which a Quorum is alive and honest. */
  private livingGroups(): ReadonlySet<GroupId> {
    const living = this.groups.filter(({ id, owners, quorumPolicy }) => {
      const voters = this.nodes.filter(({ store }) => !store.retired.has(id));
      const awaited = voters.filter((node) => this.isAwaited(node) && owners.includes(node.id));
      return awaited.length >= deriveQuorum(owners.length, quorumPolicy);
    });
    return new Set(living.map((group) => group.id));
  }

  /**
   * Is every Block that an honest owner made durable final at all honest ones who hold its group?
   * What died with its issuer, or with its group's Quorum, is not waited for.
   */
  isAllFinal(): boolean {
    const living = this.livingGroups();
    const awaited = this.nodes.filter((node) => this.isAwaited(node));
    const issuers = new Set(awaited.map((node) => node.id));
    if (!this.isHandedOver(awaited, living)) return false;
    for (const { block } of this.issued.values()) {
      if (!living.has(block.group) || !issuers.has(block.issuer)) continue;
      if (this.checker.isLeftBehind(block)) continue;
      for (const node of awaited) {
        if (!node.store.groups.some((each) => each.id === block.group)) continue;
        if (block.sequence <= node.store.cutSequence(block.group, block.issuer)) continue;
        if (node.store.blocks.get(block.id)?.isFinal !== true) return false;
      }
    }
    return true;
  }

  /** Does everybody know of each hand-over that was approved, and what it goes on as? */
  private isHandedOver(awaited: readonly SimNode[], living: ReadonlySet<GroupId>): boolean {
    return (this.scenario.handOvers ?? []).every((plan) => {
      const { id } = this.groups[plan.group]!;
      if (!living.has(id)) return true;
      const holders = awaited.filter(({ store }) => store.groups.some((each) => each.id === id));
      return holders.every(({ store }) => store.ended.get(id) != null);
    });
  }

  /** After all is final: what a group left behind went on in the next one, once. */
  checkLeft(): void {
    for (const node of this.nodes) {
      if (!this.isAwaited(node)) continue;
      for (const { block } of this.issued.values()) {
        if (block.issuer !== node.id || !this.checker.isLeftBehind(block)) continue;
        const next = node.store.ended.get(block.group);
        const isTaken = next?.owners.includes(node.id) === true && !isHandOver(block);
        this.checker.checkLeft(block, isTaken);
      }
    }
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
    if (!isDone) throw new Stall(`not final ${withinMs} ms after healing\n${this.stuck()}`);
    return this.time.nowMs - fromMs;
  }

  /** An idle World is silent: after some time to come to rest nothing at all is sent. */
  checkSilence(restMs: number): void {
    if (this.dead.size > 0 || this.nodes.some((node) => node.liar !== null)) return;
    this.time.run(this.time.nowMs + restMs);
    const before = this.messages;
    this.time.run(this.time.nowMs + 60_000);
    if (this.messages !== before) {
      throw new Stall(`an idle World sent ${this.messages - before} messages in a minute`);
    }
  }
}
