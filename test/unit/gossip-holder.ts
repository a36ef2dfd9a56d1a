import type { GossipHandler, Missing, PeerEvent } from '../../src/gossip/contract.ts';
import { type Delivery, type GossipItem, keyOf } from '../../src/gossip/item.ts';
import type { Mesh } from '../../src/gossip/mesh.ts';
import type {
  Beginning,
  ChainStep,
  Digest,
  GossipSource,
  GroupDigest,
} from '../../src/gossip/source.ts';
import type { Block, BlockId } from '../../src/model/block.ts';
import { compareText } from '../../src/model/bytes.ts';
import type { Certificate } from '../../src/model/certificate.ts';
import type { ForkProof } from '../../src/model/fork-proof.ts';
import type { Metablock, MetablockId } from '../../src/model/metablock.ts';
import type { Ballot, CausalSequence, Level } from '../../src/model/numbers.ts';
import type { Priority } from '../../src/model/pact.ts';
import type { AvatarId, GroupId } from '../../src/model/sync-group.ts';
import { blockOf, certificateOf, metablockOf } from './gossip-samples.ts';

/** Votes that make a Metablock of this World of tests Finalizable. */
const QUORUM = 2;

interface Chain {
  readonly steps: ChainStep[];
  head: Metablock | null;
}

/**
 * As little of a Participant as gossip needs: keeps what comes, puts Causal Groups in order, and
 * finalizes a chain by counting Certificates. It judges nothing.
 */
export class Holder implements GossipSource, GossipHandler {
  readonly self: AvatarId;
  readonly events: PeerEvent[] = [];
  readonly ballots: { from: AvatarId; group: GroupId; ballot: Ballot }[] = [];
  /** How often each item was delivered, and the answers among them. */
  readonly delivered = new Map<string, number>();
  answers = 0;
  /** Set to lose what comes, as a Participant whose disk is full. */
  isDeaf = false;
  unwanted = new Set<GroupId>();
  readonly priorities = new Map<GroupId, Priority>();
  readonly proofs: ForkProof[] = [];
  /** Of all groups, where a test says that nothing below is here. */
  begins: Beginning | null = null;
  mesh: Mesh | null = null;

  private readonly blocks = new Map<BlockId, Block>();
  private readonly payloads = new Map<BlockId, Uint8Array>();
  private readonly metablocks = new Map<MetablockId, Metablock>();
  private readonly votes = new Map<MetablockId, Map<AvatarId, Certificate>>();
  private readonly causals = new Map<string, Block[]>();
  private readonly chains = new Map<GroupId, Chain>();
  private known: Digest | null = null;

  constructor(self: AvatarId) {
    this.self = self;
  }

  // --- what a Participant does of itself

  issue(group: GroupId, payload?: Uint8Array): Block {
    const log = this.causals.get(group + this.self) ?? [];
    const made = blockOf({
      group,
      issuer: this.self,
      sequence: log.length + 1,
      previous: log.at(-1) ?? null,
      ...(payload === undefined ? {} : { payload }),
    });
    this.say({ kind: 'block', ...made });
    return made.block;
  }

  /** Extends the chain by a Metablock that all of `voters` certify. */
  extend(group: GroupId, blocks: readonly Block[], voters: readonly AvatarId[]): Metablock {
    const chain = this.chainOf(group);
    const metablock = metablockOf({
      group,
      issuer: this.self,
      generation: chain.steps.length + (chain.head === null ? 0 : 1),
      predecessor: chain.head,
      blocks,
    });
    this.say({ kind: 'metablock', metablock });
    for (const voter of voters) {
      this.say({ kind: 'certificate', certificate: certificateOf(group, metablock, voter) });
    }
    return metablock;
  }

  say(item: GossipItem): void {
    this.keep(item);
    this.mesh?.broadcast(item);
    this.mesh?.changed();
  }

  sequenceOf(group: GroupId, issuer: AvatarId): number {
    return this.causals.get(group + issuer)?.length ?? 0;
  }

  levelOf(group: GroupId): number {
    return (this.chains.get(group)?.steps.length ?? 0) - 1;
  }

  forgetCertificates(metablock: MetablockId): void {
    this.votes.delete(metablock);
  }

  has(item: GossipItem): boolean {
    switch (item.kind) {
      case 'block':
        return this.payloads.has(item.block.id);
      case 'metablock':
        return this.metablocks.has(item.metablock.id);
      case 'certificate':
        return this.votes.get(item.certificate.metablock)?.has(item.certificate.certifier) ?? false;
      default:
        return false;
    }
  }

  // --- GossipHandler

  onItems(deliveries: readonly Delivery[]): void {
    for (const delivery of deliveries) {
      const key = keyOf(delivery.item);
      this.delivered.set(key, (this.delivered.get(key) ?? 0) + 1);
      if (delivery.answer) this.answers += 1;
      if (this.isDeaf) continue;
      this.keep(delivery.item);
      this.mesh?.accepted(delivery);
    }
    this.mesh?.changed();
  }

  onBallots(from: AvatarId, ballots: readonly { group: GroupId; ballot: Ballot }[]): void {
    for (const { group, ballot } of ballots) this.ballots.push({ from, group, ballot });
  }

  onPeer(event: PeerEvent): void {
    this.events.push(event);
  }

  want(missing: Missing): void {
    this.mesh?.want(missing);
  }

  // --- GossipSource

  digest(): Digest {
    this.known ??= this.deriveDigest();
    return this.known;
  }

  wants(group: GroupId): boolean {
    return !this.unwanted.has(group);
  }

  wantsChain(group: GroupId): boolean {
    return !this.unwanted.has(group);
  }

  priorityOf(group: GroupId): Priority {
    return this.priorities.get(group) ?? 'normal';
  }

  wantsForks(): boolean {
    return true;
  }

  forks(group: GroupId): readonly ForkProof[] {
    return this.proofs.filter((each) => each.group === group);
  }

  block(id: BlockId): Block | null {
    return this.blocks.get(id) ?? null;
  }

  payload(id: BlockId): Uint8Array | null {
    return this.payloads.get(id) ?? null;
  }

  beginning(): Beginning | null {
    return this.begins;
  }

  metablock(id: MetablockId): Metablock | null {
    return this.metablocks.get(id) ?? null;
  }

  certificates(metablock: MetablockId): readonly Certificate[] {
    return [...(this.votes.get(metablock)?.values() ?? [])];
  }

  chain(group: GroupId, from: Level, limit: number): readonly ChainStep[] {
    const steps = this.chains.get(group)?.steps.slice(from, from + limit) ?? [];
    return steps.map((each) => ({ ...each, provable: this.isProven(each.metablock.id) }));
  }

  open(group: GroupId): readonly ChainStep[] {
    const head = this.chains.get(group)?.head ?? null;
    if (head === null) return [];
    const level = this.chainOf(group).steps.length as Level;
    return [{ level, metablock: head, blocks: head.blocks, cut: null, provable: true }];
  }

  causal(group: GroupId, issuer: AvatarId, from: CausalSequence, limit: number): readonly Block[] {
    return this.causals.get(group + issuer)?.slice(from - 1, from - 1 + limit) ?? [];
  }

  // --- inside

  keep(item: GossipItem): void {
    this.known = null;
    switch (item.kind) {
      case 'block':
        this.blocks.set(item.block.id, item.block);
        if (item.payload !== null) this.payloads.set(item.block.id, item.payload);
        this.line(item.block);
        return;
      case 'metablock':
        this.metablocks.set(item.metablock.id, item.metablock);
        this.progress(item.metablock);
        return;
      case 'certificate': {
        const { metablock, certifier } = item.certificate;
        const votes = this.votes.get(metablock) ?? new Map();
        this.votes.set(metablock, votes.set(certifier, item.certificate));
        const known = this.metablocks.get(metablock);
        if (known !== undefined) this.progress(known);
        return;
      }
      default:
    }
  }

  /** Appends the Block, and those that waited for it. */
  private line(block: Block): void {
    const key = block.group + block.issuer;
    const log = this.causals.get(key) ?? [];
    this.causals.set(key, log);
    if (block.sequence === log.length + 1) log.push(block);
  }

  private chainOf(group: GroupId): Chain {
    const chain = this.chains.get(group) ?? { steps: [], head: null };
    this.chains.set(group, chain);
    return chain;
  }

  private isProven(metablock: MetablockId): boolean {
    return (this.votes.get(metablock)?.size ?? 0) >= QUORUM;
  }

  /** A proven Metablock becomes the head, and all before it is final, if nothing is missing. */
  private progress(metablock: Metablock): void {
    if (!this.isProven(metablock.id)) return;
    const { group } = metablock.predecessors[0]!;
    const chain = this.chainOf(group);
    const last = chain.steps.at(-1)?.metablock.id ?? null;
    const path: Metablock[] = [];
    for (let at: Metablock | undefined = metablock; at !== undefined; ) {
      if (at.id === last) break;
      path.push(at);
      const below: MetablockId | null = at.predecessors[0]?.metablock ?? null;
      if (below === null && last === null) break;
      at = below === null ? undefined : this.metablocks.get(below);
      if (at === undefined) return;
    }
    this.finalize(chain, path.reverse());
  }

  private finalize(chain: Chain, path: readonly Metablock[]): void {
    if (path.length === 0) return;
    for (const metablock of path.slice(0, -1)) {
      if (metablock.blocks.some((id) => !this.payloads.has(id))) return;
      const level = chain.steps.length as Level;
      chain.steps.push({ level, metablock, blocks: metablock.blocks, cut: null, provable: true });
    }
    chain.head = path.at(-1) ?? null;
  }

  private deriveDigest(): Digest {
    const groups = new Map<GroupId, GroupDigest>();
    const issuers = [...this.causals]
      .filter(([, log]) => log.length > 0)
      .map(([, log]) => log.at(-1)!)
      .sort((a, b) => compareText(a.issuer, b.issuer));
    const names = [...issuers.map((tip) => tip.group), ...this.chains.keys()];
    for (const group of [...new Set(names)].sort(compareText)) {
      const chain = this.chains.get(group);
      const last = chain?.steps.at(-1);
      groups.set(group, {
        group,
        finalized: last === undefined ? null : { level: last.level, metablock: last.metablock.id },
        head: chain?.head?.id ?? null,
        ballot: 0 as Ballot,
        issuers: issuers
          .filter((tip) => tip.group === group)
          .map((tip) => ({ issuer: tip.issuer, sequence: tip.sequence, block: tip.id })),
      });
    }
    return [...groups.values()];
  }
}
