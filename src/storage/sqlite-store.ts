import type { Block, BlockId } from '../model/block.ts';
import type { HashFunction } from '../model/bytes.ts';
import type { Certificate } from '../model/certificate.ts';
import type { ForkProof } from '../model/fork-proof.ts';
import { invariant } from '../model/invariant.ts';
import type { Metablock, MetablockId } from '../model/metablock.ts';
import type { CausalSequence, EntrySequence, Level } from '../model/numbers.ts';
import type { Pact } from '../model/pact.ts';
import type { AvatarId, GroupId, SyncGroup } from '../model/sync-group.ts';
import type {
  AvatarRecord,
  BlockRecord,
  ChainRecord,
  DecodedEntries,
  EvidenceRecord,
  FinalizeStep,
  ForkRecord,
  FrontierRecord,
  PactRecord,
  Store,
  StoredEntry,
  StoredVote,
} from '../ports/store.ts';
import { BlockTable } from './block-table.ts';
import { CauseTable } from './cause-table.ts';
import { ChainTable } from './chain-table.ts';
import type { Connection } from './connection.ts';
import { CutKeeper } from './cut-keeper.ts';
import { EntrySearch } from './entry-search.ts';
import { ForkTable } from './fork-table.ts';
import { GroupTable } from './group-table.ts';
import { MetablockTable } from './metablock-table.ts';
import { NoteTables } from './note-tables.ts';
import { PactTables } from './pact-tables.ts';
import { PayloadCutter } from './payload.ts';
import { Projector } from './projector.ts';
import { SagaTable } from './saga-table.ts';
import { Sweeper } from './sweeper.ts';

/** The port over one SQLite file. What belongs to a group that was never put reads as nothing. */
export class SqliteStore implements Store {
  readonly tables: PactTables;
  readonly cuts: CutKeeper;
  readonly sagas: SagaTable;
  readonly search: EntrySearch;
  private readonly connection: Connection;
  private readonly notes: NoteTables;
  private readonly groupTable: GroupTable;
  private readonly blockTable: BlockTable;
  private readonly metablocks: MetablockTable;
  private readonly chains: ChainTable;
  private readonly forkTable: ForkTable;
  private readonly sweeper: Sweeper;
  private readonly causes: CauseTable;
  private readonly projector: Projector;

  constructor(connection: Connection, parts: { hash: HashFunction; evidenceMax: number }) {
    this.connection = connection;
    this.notes = new NoteTables(connection, parts.evidenceMax);
    this.tables = new PactTables(connection);
    this.groupTable = new GroupTable(connection);
    this.blockTable = new BlockTable(connection, parts.hash);
    this.metablocks = new MetablockTable(connection, parts.hash);
    this.chains = new ChainTable(connection);
    this.forkTable = new ForkTable(connection, parts.hash);
    this.sweeper = new Sweeper(connection);
    this.sagas = new SagaTable(connection);
    this.search = new EntrySearch(connection, this.tables, this.groupTable);
    this.causes = new CauseTable(connection);
    this.projector = new Projector(this.tables, this.groupTable, this.causes);
    const tables = { groups: this.groupTable, blocks: this.blockTable, chains: this.chains };
    this.cuts = new CutKeeper(connection, { ...tables, metablocks: this.metablocks });
  }

  transaction<Result>(work: () => Result): Result {
    return this.connection.transaction(work);
  }

  setting(name: string): Uint8Array | null {
    return this.notes.read(name);
  }

  putSetting(name: string, value: Uint8Array): void {
    this.notes.write(name, value);
  }

  putAvatar(avatar: AvatarRecord): void {
    this.notes.putAvatar(avatar);
  }

  avatars(): AvatarRecord[] {
    return this.notes.avatars();
  }

  putPeerUrl(url: string): void {
    this.notes.putPeerUrl(url);
  }

  peerUrls(): string[] {
    return this.notes.peerUrls();
  }

  putFork(proof: ForkProof, seenAtMs: number): void {
    this.forkTable.put(proof, seenAtMs);
  }

  forks(): ForkRecord[] {
    return this.forkTable.all();
  }

  putEvidence(evidence: EvidenceRecord): void {
    this.notes.putEvidence(evidence);
  }

  evidence(limit: number): EvidenceRecord[] {
    return this.notes.evidence(limit);
  }

  putPact(pact: Pact): string {
    return this.tables.put(pact);
  }

  pacts(): PactRecord[] {
    return this.tables.records();
  }

  putGroup(group: SyncGroup): void {
    if (!this.groupTable.put(group) || group.origin === null) return;
    const from = this.groupTable.numberOrNull(group.origin.group);
    if (from === null) return;
    const { kind, sequence } = group.origin;
    const heir = { from, to: this.groupTable.number(group.id), last: sequence };
    this.tables.inheritNow(group.pact, heir, kind === 'split');
  }

  groups(): SyncGroup[] {
    return this.groupTable.groups();
  }

  putBlock(block: Block, payload: Uint8Array | null): void {
    this.blockTable.put(this.groupTable.number(block.group), block, payload);
  }

  block(id: BlockId): BlockRecord | null {
    return this.blockTable.record(id);
  }

  payload(id: BlockId): Uint8Array | null {
    return this.blockTable.payload(id);
  }

  blocks(group: GroupId, issuer: AvatarId, from: CausalSequence, limit: number): BlockRecord[] {
    const number = this.groupTable.numberOrNull(group);
    return number === null ? [] : this.blockTable.blocks(number, issuer, from, limit);
  }

  tip(group: GroupId, issuer: AvatarId): FrontierRecord | null {
    const number = this.groupTable.numberOrNull(group);
    return number === null ? null : this.blockTable.tip(number, issuer);
  }

  frontier(group: GroupId): FrontierRecord[] {
    const number = this.groupTable.numberOrNull(group);
    return number === null ? [] : this.blockTable.frontier(number);
  }

  finalFrontier(group: GroupId): FrontierRecord[] {
    const number = this.groupTable.numberOrNull(group);
    return number === null ? [] : this.blockTable.finalFrontier(number);
  }

  handOver(group: GroupId): BlockId | null {
    const number = this.groupTable.numberOrNull(group);
    return number === null ? null : this.blockTable.handOver(number);
  }

  pendingBlocks(group: GroupId): BlockRecord[] {
    const number = this.groupTable.numberOrNull(group);
    return number === null ? [] : this.blockTable.pending(number);
  }

  missingPayloads(group: GroupId, limit: number): BlockId[] {
    const number = this.groupTable.numberOrNull(group);
    return number === null ? [] : this.blockTable.missing(number, limit);
  }

  putMetablock(metablock: Metablock): void {
    this.metablocks.put(metablock);
  }

  metablock(id: MetablockId): Metablock | null {
    return this.metablocks.find(id);
  }

  putCertificate(certificate: Certificate): void {
    this.metablocks.putCertificate(certificate);
  }

  certificates(metablock: MetablockId): Certificate[] {
    return this.metablocks.certificates(metablock);
  }

  openMetablocks(): Metablock[] {
    const named = this.votes().flatMap(({ votes, lock }) =>
      lock === null ? votes : [...votes, lock.metablock],
    );
    return this.metablocks.open(named);
  }

  putVote(vote: StoredVote): void {
    this.chains.putVote(vote);
  }

  votes(): StoredVote[] {
    return this.chains.votes();
  }

  finalize(step: FinalizeStep): EntrySequence {
    const group = this.groupTable.number(step.group);
    const before = this.groupTable.lastSequence(group);
    let last = before;
    for (const { block, entries } of step.blocks) {
      invariant(block.group === step.group, 'a step finalizes Blocks of its own group');
      const stacked = this.blockTable.find(block.id);
      invariant(stacked !== null, 'a Block is stacked before it is final');
      invariant(stacked.firstSequence === null, 'a Block becomes final once');
      const first = (last + 1) as EntrySequence;
      this.blockTable.setFinal(stacked, { group, first }, block);
      if (entries !== null) this.projector.write(group, first, block, entries);
      this.cuts.addBytes(group, block.bytes.length + block.byteLength);
      last = (last + block.entryCount) as EntrySequence;
    }
    if (last !== before) this.groupTable.setLastSequence(group, last);
    if (step.chain !== null) this.appendChain(step.group, { ...step.chain, lastSequence: last });
    return last;
  }

  projectLate(id: BlockId, entries: DecodedEntries): void {
    const stacked = this.blockTable.find(id);
    const record = this.blockTable.record(id);
    invariant(stacked !== null && record !== null, 'a late payload belongs to a stacked Block');
    invariant(stacked.firstSequence !== null, 'only a final Block has rows');
    const group = this.groupTable.number(record.block.group);
    this.projector.write(group, stacked.firstSequence, record.block, entries);
  }

  finalizedHead(group: GroupId): ChainRecord | null {
    const number = this.groupTable.numberOrNull(group);
    return number === null ? null : this.chains.head(group, number);
  }

  chain(group: GroupId, from: Level, limit: number): ChainRecord[] {
    const number = this.groupTable.numberOrNull(group);
    return number === null ? [] : this.chains.chain(group, number, from, limit);
  }

  lastSequence(group: GroupId): EntrySequence {
    const number = this.groupTable.numberOrNull(group);
    return number === null ? (0 as EntrySequence) : this.groupTable.lastSequence(number);
  }

  entries(group: GroupId, from: EntrySequence, limit: number): StoredEntry[] {
    const number = this.groupTable.numberOrNull(group);
    const found: StoredEntry[] = [];
    if (number === null || limit <= 0) return found;
    const below = this.cuts.base(group)?.lastSequence ?? this.groupTable.start(number);
    const start = Math.max(below + 1, from) as EntrySequence;
    const voids = this.causes.voids(number, start, start + limit);
    for (const { block, firstSequence, payload } of this.blockTable.finalFrom(number, start)) {
      const cutter = payload === null ? null : new PayloadCutter(payload);
      const { id, issuer, atMs, entryCount } = block;
      for (let index = Math.max(0, start - firstSequence); index < entryCount; index++) {
        const sequence = (firstSequence + index) as EntrySequence;
        const bytes = cutter === null ? null : cutter.at(index);
        const isVoid = voids.has(sequence);
        found.push({ sequence, index, block: id, issuer, atMs, bytes, isVoid });
        if (found.length === limit) return found;
      }
    }
    return found;
  }

  sweep(group: GroupId, limit: number): boolean {
    const number = this.groupTable.numberOrNull(group);
    return number !== null && this.sweeper.sweep({ group, number }, limit);
  }

  close(): void {
    this.connection.close();
  }

  private appendChain(group: GroupId, record: Omit<ChainRecord, 'group'>): void {
    const number = this.groupTable.number(group);
    const head = this.chains.head(group, number);
    invariant(record.level === (head?.level ?? -1) + 1, 'a chain grows by one Level');
    this.chains.append(number, record);
    this.metablocks.setHead(group, record.metablock, head?.metablock ?? null);
  }
}
