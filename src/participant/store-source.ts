import { describe } from '../consensus/metablockchain.ts';
import type {
  Beginning,
  CausalDigest,
  ChainStep,
  Digest,
  GossipSource,
  GroupDigest,
} from '../gossip/source.ts';
import type { Block, BlockId } from '../model/block.ts';
import { compareText } from '../model/bytes.ts';
import type { Certificate } from '../model/certificate.ts';
import { CUT_INTERVAL, type Cut, cutSequenceOf } from '../model/cut.ts';
import type { ForkProof } from '../model/fork-proof.ts';
import type { Metablock, MetablockId } from '../model/metablock.ts';
import type { Ballot, CausalSequence, Level } from '../model/numbers.ts';
import type { Priority } from '../model/pact.ts';
import { type AvatarId, deriveQuorum, type GroupId, type SyncGroup } from '../model/sync-group.ts';
import { type ChainRecord, StoreError } from '../ports/store.ts';
import type { Core } from './core.ts';
import { deriveBuiltInGroup } from './registry.ts';
import type { Memory } from './turn.ts';

/** What gossip may read: the store, and where this Participant stands. */
export class StoreSource implements GossipSource {
  private readonly core: Core;
  private readonly memory: Memory;
  private readonly onTrouble: (cause: StoreError) => void;
  private known: Digest | null = null;

  /** @param onTrouble The disk gave something back wrong, or not at all: the peer gets nothing. */
  constructor(core: Core, memory: Memory, onTrouble: (cause: StoreError) => void) {
    this.core = core;
    this.memory = memory;
    this.onTrouble = onTrouble;
  }

  /** The next `digest` is made anew. */
  changed(): void {
    this.known = null;
  }

  digest(): Digest {
    this.known ??= this.read(() => this.deriveDigest(), null);
    return this.known ?? [];
  }

  priorityOf(group: GroupId): Priority {
    const known = this.memory.registry.group(group);
    const pact = known === undefined ? undefined : this.memory.registry.pact(known.pact);
    return pact?.priority ?? 'high';
  }

  wants(group: GroupId, issuer: AvatarId): boolean {
    const known = this.memory.registry.group(group);
    if (this.memory.registry.closure(group)?.kind === 'hand-over') return false;
    if (this.memory.refused.isStuck(this.memory.tips, group, issuer)) return false;
    if (known !== undefined) return known.owners.includes(issuer);
    const builtIn = Object.values(this.core.builtIn);
    return deriveBuiltInGroup(this.core.hash, builtIn, group, issuer) !== null;
  }

  wantsChain(group: GroupId): boolean {
    return (this.memory.registry.group(group)?.owners.length ?? 0) > 1;
  }

  wantsForks(group: GroupId): boolean {
    return this.memory.registry.group(group) !== undefined;
  }

  forks(group: GroupId): readonly ForkProof[] {
    const owners = this.memory.registry.group(group)?.owners ?? [];
    return owners.flatMap((owner) => this.memory.forks.proof(group, owner) ?? []);
  }

  beginning(group: GroupId): Beginning | null {
    return this.read(() => this.beginningOf(group), null);
  }

  block(id: BlockId): Block | null {
    return this.read(() => this.core.store.block(id)?.block ?? null, null);
  }

  payload(id: BlockId): Uint8Array | null {
    return this.read(() => this.core.store.payload(id), null);
  }

  metablock(id: MetablockId): Metablock | null {
    return this.read(() => this.core.store.metablock(id), null);
  }

  certificates(metablock: MetablockId): readonly Certificate[] {
    return this.read(() => this.core.store.certificates(metablock), []);
  }

  chain(group: GroupId, from: Level, limit: number): readonly ChainStep[] {
    return this.read(() => this.chainFrom(group, from, limit), []);
  }

  open(group: GroupId): readonly ChainStep[] {
    return this.read(() => this.openOf(group), []);
  }

  causal(group: GroupId, issuer: AvatarId, from: CausalSequence, limit: number): readonly Block[] {
    const { store } = this.core;
    return this.read(() => {
      const below = cutSequenceOf(store.cuts.base(group), issuer);
      const first = Math.max(from, below + 1) as CausalSequence;
      return store.blocks(group, issuer, first, limit).map(({ block }) => block);
    }, []);
  }

  private read<Result>(work: () => Result, nothing: Result): Result {
    try {
      return work();
    } catch (cause) {
      if (!(cause instanceof StoreError)) throw cause;
      this.onTrouble(cause);
      return nothing;
    }
  }

  private beginningOf(group: GroupId): Beginning | null {
    const { store } = this.core;
    const cut = store.cuts.base(group);
    if (cut === null) return null;
    return { cut, metablock: cut.metablock === null ? null : store.metablock(cut.metablock) };
  }

  private chainFrom(group: GroupId, from: Level, limit: number): ChainStep[] {
    const known = this.memory.registry.group(group);
    if (known === undefined) return [];
    const steps: ChainStep[] = [];
    // What lies below the cut is being thrown away.
    const first = Math.max(from, (this.core.store.cuts.base(group)?.level ?? -1) + 1) as Level;
    for (const record of this.core.store.chain(group, first, limit)) {
      const metablock = this.core.store.metablock(record.metablock);
      if (metablock === null) break;
      const step = this.stepOf(known, record.level, metablock);
      steps.push({ ...step, cut: this.cutAfter(known, record) });
    }
    return steps;
  }

  private cutAfter(group: SyncGroup, { level, lastSequence }: ChainRecord): Cut | null {
    if ((level + 1) % CUT_INTERVAL !== 0) return null;
    const cut = this.core.store.cuts.cutAt(group.id, lastSequence);
    const quorum = deriveQuorum(group.owners.length, group.quorumPolicy);
    return cut !== null && cut.signatures.length >= quorum ? cut : null;
  }

  private openOf(group: GroupId): ChainStep[] {
    const known = this.memory.registry.group(group);
    if (known === undefined) return [];
    const head = this.core.store.finalizedHead(group);
    const levels = new Map<MetablockId | null, number>([
      [head?.metablock ?? null, head?.level ?? -1],
    ]);
    const above = this.core.store
      .openMetablocks()
      .sort((a, b) => a.generation - b.generation || compareText(a.id, b.id));
    const steps: ChainStep[] = [];
    for (const metablock of above) {
      const place = metablock.predecessors.find((each) => each.group === group);
      const below = place === undefined ? undefined : levels.get(place.metablock);
      if (below === undefined || levels.has(metablock.id)) continue;
      levels.set(metablock.id, below + 1);
      steps.push(this.stepOf(known, (below + 1) as Level, metablock));
    }
    return steps;
  }

  private stepOf(group: SyncGroup, level: Level, metablock: Metablock): ChainStep {
    const blocks = metablock.blocks.filter(
      (id) => this.core.store.block(id)?.block.group === group.id,
    );
    const certificates = this.core.store.certificates(metablock.id);
    return { level, metablock, blocks, cut: null, provable: isQuorum(group, certificates) };
  }

  /** Of a log that forks, no more than what all its branches have in common. */
  private placeOf(group: GroupId, issuer: AvatarId): CausalDigest | null {
    const tip = this.memory.tips.tip(group, issuer);
    const proof = this.memory.forks.proof(group, issuer);
    if (proof === null) return tip === null ? null : { issuer, ...tip };
    const { sequence: fork, previous } = proof;
    const sequence = Math.min(tip?.sequence ?? 0, fork - 1) as CausalSequence;
    const isWhole = sequence === fork - 1;
    return { issuer, sequence, block: isWhole ? previous : (tip?.block ?? null), fork };
  }

  private deriveDigest(): Digest {
    const described = new Map(
      describe(this.memory.consensus).map((each) => [each.group, each] as const),
    );
    return this.memory.registry
      .allGroups()
      .sort((a, b) => compareText(a.id, b.id))
      .map((group): GroupDigest => {
        const state = described.get(group.id);
        const head = group.owners.length > 1 ? this.core.store.finalizedHead(group.id) : null;
        return {
          group: group.id,
          finalized: head === null ? null : { level: head.level, metablock: head.metablock },
          head: state?.head?.metablock ?? null,
          ballot: group.owners.includes(this.core.self)
            ? ((state?.ballot ?? 0) as Ballot)
            : (0 as Ballot),
          issuers: this.issuersOf(group),
        };
      });
  }

  /** Where a group handed over, what others still hold of it beyond that is nobody's concern. */
  private issuersOf(group: SyncGroup): CausalDigest[] {
    const closure = this.memory.registry.closure(group.id);
    if (closure?.kind === 'hand-over') {
      return closure.issuers.toSorted((a, b) => compareText(a.issuer, b.issuer));
    }
    return group.owners.flatMap((issuer) => this.placeOf(group.id, issuer) ?? []);
  }
}

/** Do these Certificates make their Metablock Finalizable for the group at some Ballot? */
function isQuorum(group: SyncGroup, certificates: readonly Certificate[]): boolean {
  const voters = new Map<Ballot, Set<AvatarId>>();
  for (const { certifier, entries } of certificates) {
    const ballot = entries.find((each) => each.group === group.id)?.ballot;
    if (ballot === undefined || !group.owners.includes(certifier)) continue;
    let at = voters.get(ballot);
    if (at === undefined) {
      at = new Set();
      voters.set(ballot, at);
    }
    at.add(certifier);
  }
  const quorum = deriveQuorum(group.owners.length, group.quorumPolicy);
  return [...voters.values()].some((each) => each.size >= quorum);
}
