import { createHash } from 'node:crypto';
import Database from 'better-sqlite3';

/** What a database holds that must be the same at every Participant of its World. */
export interface WorldDigest {
  readonly file: string;
  /** Part of the database, in words, to the SHA-256 of its rows in their order. */
  readonly parts: ReadonlyMap<string, string>;
  /** Finalized Entries of all Sync Groups. */
  readonly entries: number;
  /** Generations with a Finalized Metablock: the highest, and 0 before it. */
  readonly generations: number;
}

export interface Comparison {
  /** Every part is there in every database, with the same rows. */
  readonly agree: boolean;
  /** The parts that differ, or are missing somewhere. */
  readonly differences: readonly string[];
  readonly entries: number;
  readonly generations: number;
}

/** Quotes a name for SQL. */
function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function digestRows(database: Database.Database, sql: string, ...bound: unknown[]): string {
  const hash = createHash('sha256');
  const rows = database
    .prepare<unknown[], unknown[]>(sql)
    .raw()
    .iterate(...bound);
  for (const row of rows) {
    for (const value of row) {
      const bytes = Buffer.isBuffer(value) ? value : Buffer.from(String(value));
      hash.update(`${typeof value}:${bytes.length}:`).update(bytes);
    }
    hash.update(';');
  }
  return hash.digest('hex');
}

function numberOf(database: Database.Database, sql: string): number {
  return database.prepare<[], number>(sql).pluck().get() ?? 0;
}

/** By the number of a Sync Group: the last Entry and Level that are left out. */
type Cuts = ReadonlyMap<number, { readonly sequence: number; readonly level: number }>;

/** Where the groups of one database were cut. */
function cutsOf(file: string): Cuts {
  const database = new Database(file, { readonly: true, fileMustExist: true });
  try {
    const rows = database
      .prepare<[], { number: number; sequence: number; level: number }>(
        'SELECT number, cut_seq AS sequence, cut_level AS level FROM vb_group',
      )
      .all();
    return new Map(rows.map(({ number, ...cut }) => [number, cut] as const));
  } finally {
    database.close();
  }
}

/** The highest cut of each group: above it all databases can be compared. */
function highestCuts(all: readonly Cuts[]): Cuts {
  const highest = new Map<number, { sequence: number; level: number }>();
  for (const cuts of all) {
    for (const [number, { sequence, level }] of cuts) {
      const known = highest.get(number) ?? { sequence: 0, level: -1 };
      const next = { sequence: Math.max(known.sequence, sequence), level: known.level };
      highest.set(number, { ...next, level: Math.max(known.level, level) });
    }
  }
  return highest;
}

/**
 * Reads every Sync Group's finalized sequence, and every Pact's rows, from one database.
 *
 * @param cuts Below them nothing is read; those of the database itself if not given.
 */
export function digestWorld(file: string, cuts: Cuts = cutsOf(file)): WorldDigest {
  const database = new Database(file, { readonly: true, fileMustExist: true });
  try {
    const parts = new Map<string, string>();
    const groups = database.prepare<[], { number: number; name: string }>(
      'SELECT g.number, p.name FROM vb_group g JOIN vb_pact p ON p.id = g.pact',
    );
    for (const { number, name } of groups.all()) {
      const chain =
        'SELECT level, metablock, last_seq FROM vb_chain ' +
        'WHERE group_number = ? AND level > ? ORDER BY level';
      const blocks =
        'SELECT first_seq, id, entry_count FROM vb_block ' +
        'WHERE group_number = ? AND first_seq > ? ORDER BY first_seq';
      const { sequence, level } = cuts.get(number) ?? { sequence: 0, level: -1 };
      parts.set(`chain of ${name} ${number}`, digestRows(database, chain, number, level));
      const digest = digestRows(database, blocks, number, sequence);
      parts.set(`finalized sequence of ${name} ${number}`, digest);
    }
    const above = JSON.stringify(
      Object.fromEntries([...cuts].map(([number, { sequence }]) => [number, sequence])),
    );
    // By Pact and not by table: where two Pacts share a name, each disk suffixes the later one.
    const pacts = database.prepare<
      [],
      { name: string; id: string; table_name: string; now_table: string | null }
    >('SELECT name, hex(id) AS id, table_name, now_table FROM vb_pact');
    for (const { name, id, table_name: table, now_table: now } of pacts.all()) {
      for (const [kind, each] of [
        ['rows', table],
        ['current rows', now],
      ] as const) {
        if (each === null) continue;
        const sql =
          `SELECT t.* FROM ${quoted(each)} t LEFT JOIN json_each(?) c ON c.key = t._group ` +
          'WHERE t._seq > ifnull(c.value, 0) ORDER BY t._group, t._seq';
        parts.set(`${kind} of ${name} ${id.slice(0, 16)}`, digestRows(database, sql, above));
      }
    }
    const generation =
      'SELECT max(m.generation) + 1 FROM vb_chain c JOIN vb_metablock m ON m.id = c.metablock';
    return {
      file,
      parts,
      entries: numberOf(database, 'SELECT sum(last_seq - start_seq) FROM vb_group'),
      generations: numberOf(database, generation),
    };
  } finally {
    database.close();
  }
}

/** Says whether databases of one World hold the same, part by part. Nothing may be writing them. */
export function compareWorlds(files: readonly string[]): Comparison {
  const cuts = highestCuts(files.map(cutsOf));
  const digests = files.map((file) => digestWorld(file, cuts));
  const names = new Set(digests.flatMap((each) => [...each.parts.keys()]));
  const differences = [...names].filter(
    (name) => new Set(digests.map((each) => each.parts.get(name))).size > 1,
  );
  return {
    agree: differences.length === 0 && names.size > 0,
    differences,
    entries: Math.max(0, ...digests.map((each) => each.entries)),
    generations: Math.max(0, ...digests.map((each) => each.generations)),
  };
}
