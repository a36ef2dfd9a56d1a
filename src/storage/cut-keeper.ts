import type { Cut, CutBody } from '../model/cut.ts';
import { invariant } from '../model/invariant.ts';
import type { Metablock } from '../model/metablock.ts';
import type { EntrySequence } from '../model/numbers.ts';
import { deriveQuorum, type GroupId } from '../model/sync-group.ts';
import type { CutBounds, CutStore, GroupExtent } from '../ports/cut-store.ts';
import type { BlockTable } from './block-table.ts';
import type { ChainTable } from './chain-table.ts';
import type { Connection } from './connection.ts';
import { CutTable } from './cut-table.ts';
import type { GroupTable } from './group-table.ts';
import type { MetablockTable } from './metablock-table.ts';

const NOTHING: GroupExtent = {
  first: 1 as EntrySequence,
  last: 0 as EntrySequence,
  bytes: 0,
  bytesBelow: 0,
};

/** Cuts over the tables of the store. */
export class CutKeeper implements CutStore {
  private readonly table: CutTable;
  private readonly groups: GroupTable;
  private readonly blocks: BlockTable;
  private readonly chains: ChainTable;
  private readonly metablocks: MetablockTable;

  constructor(
    connection: Connection,
    tables: {
      readonly groups: GroupTable;
      readonly blocks: BlockTable;
      readonly chains: ChainTable;
      readonly metablocks: MetablockTable;
    },
  ) {
    this.table = new CutTable(connection);
    this.groups = tables.groups;
    this.blocks = tables.blocks;
    this.chains = tables.chains;
    this.metablocks = tables.metablocks;
  }

  putCutPlace(body: CutBody, atMs: number): void {
    this.table.putPlace(this.groups.number(body.group), body, atMs);
  }

  signCut(cut: Cut): void {
    this.table.sign(this.groups.number(cut.group), cut.lastSequence, cut.signatures);
  }

  cutAt(group: GroupId, lastSequence: EntrySequence): Cut | null {
    const number = this.groups.numberOrNull(group);
    return number === null ? null : this.table.at(number, lastSequence);
  }

  cutPlace(group: GroupId, lastSequence: EntrySequence): CutBody | null {
    const number = this.groups.numberOrNull(group);
    return number === null ? null : this.table.place(number, lastSequence);
  }

  base(group: GroupId): Cut | null {
    const number = this.groups.numberOrNull(group);
    return number === null ? null : this.table.base(number);
  }

  beyond(group: GroupId, bounds: CutBounds): Cut | null {
    const number = this.groups.number(group);
    const { owners, quorum } = this.groups.rules(number);
    const found = this.table.beyond(number, deriveQuorum(owners, quorum), bounds);
    return found === null ? null : this.table.at(number, found);
  }

  cutBelow(cut: Cut): void {
    this.table.setBase(this.groups.number(cut.group), cut, true);
  }

  installCut(cut: Cut, metablock: Metablock | null): void {
    invariant(metablock?.id === (cut.metablock ?? undefined), 'a cut comes with its Metablock');
    const number = this.groups.number(cut.group);
    for (const tip of cut.tips) this.blocks.setCausalFinal(number, tip);
    this.groups.setLastSequence(number, cut.lastSequence);
    if (metablock !== null) {
      const { level, lastSequence } = cut;
      this.metablocks.put(metablock);
      this.metablocks.install(cut.group, metablock.id);
      this.chains.append(number, { level, metablock: metablock.id, lastSequence });
    }
    this.table.putPlace(number, cut, 0);
    this.table.sign(number, cut.lastSequence, cut.signatures);
    this.table.setBase(number, cut, false);
  }

  extent(group: GroupId): GroupExtent {
    const number = this.groups.numberOrNull(group);
    return number === null ? NOTHING : this.table.extent(number);
  }

  /** So many bytes of Blocks became final. */
  addBytes(groupNumber: number, bytes: number): void {
    this.table.addBytes(groupNumber, bytes);
  }
}
