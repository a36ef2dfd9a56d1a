import type { Block } from '../model/block.ts';
import { invariant } from '../model/invariant.ts';
import type { EntrySequence } from '../model/numbers.ts';
import type { EntryValue } from '../model/pact.ts';
import type { DecodedEntries } from '../ports/store.ts';
import type { CauseTable } from './cause-table.ts';
import type { GroupTable } from './group-table.ts';
import type { PactTables } from './pact-tables.ts';
import type { RowPlace, RowWriter } from './row-writer.ts';

/** Writes the Entries of final Blocks into the tables of their Pact. */
export class Projector {
  private readonly tables: PactTables;
  private readonly groups: GroupTable;
  private readonly causes: CauseTable;

  constructor(tables: PactTables, groups: GroupTable, causes: CauseTable) {
    this.tables = tables;
    this.groups = groups;
    this.causes = causes;
  }

  write(
    groupNumber: number,
    firstSequence: EntrySequence,
    block: Block,
    { pact, rows }: DecodedEntries,
  ): void {
    invariant(rows.length === block.entryCount, 'a row for each Entry of the Block');
    const heirs = this.groups.heirs(groupNumber, firstSequence);
    const place = { groupNumber, firstSequence, firstIndex: 0, block, heirs };
    const writer = this.tables.writer(pact);
    if (rows.every((row) => writer.causeOf(row) === null)) writer.write(place, rows);
    else this.writeMixed(writer, place, rows);
  }

  /** Some of the Entries were produced by a Saga, and may have come before. */
  private writeMixed(
    writer: RowWriter,
    place: RowPlace,
    rows: readonly (readonly EntryValue[])[],
  ): void {
    rows.forEach((row, index) => {
      const at = {
        ...place,
        firstSequence: place.firstSequence + index,
        firstIndex: place.firstIndex + index,
      };
      const cause = writer.causeOf(row);
      if (cause === null) {
        writer.write(at, [row]);
        return;
      }
      const found = this.causes.observe(place.groupNumber, at.firstSequence, cause);
      if (found.displaced !== null) {
        const { groupNumber, sequence } = found.displaced;
        const heirs = this.groups.heirs(groupNumber, sequence as EntrySequence);
        writer.withdraw(groupNumber, sequence, heirs);
      }
      if (found.isFirst) writer.writeCaused(at, row, cause);
    });
  }
}
