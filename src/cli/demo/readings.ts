import Database from 'better-sqlite3';
import type { Reading } from './screen.ts';

/** How the newest Entry of each Pact is put in words; each statement gives one text a row. */
const QUERIES: readonly { readonly pact: string; readonly sql: string }[] = [
  {
    pact: 'machine_load',
    sql:
      "SELECT host || printf(': %.2f %.2f %.2f', load1, load5, load15) " + 'FROM machine_load_now',
  },
  {
    pact: 'machine_memory',
    sql:
      "SELECT host || ': ' || printf('%.0f of %.0f MiB free', available_bytes / 1048576.0, " +
      'total_bytes / 1048576.0) FROM machine_memory_now',
  },
  {
    pact: 'machine_temperature',
    sql:
      "SELECT host || ': ' || sensor || printf(' %.1f °C', celsius) " +
      'FROM machine_temperature_now',
  },
  {
    pact: 'machine_network',
    sql:
      "SELECT interface || printf(': %.1f MB in, %.1f MB out', received_bytes / 1e6, " +
      'sent_bytes / 1e6) FROM machine_network_now',
  },
  {
    pact: 'machine_disk',
    sql:
      "SELECT device || printf(': %.1f MB read, %.1f MB written', read_bytes / 1e6, " +
      'written_bytes / 1e6) FROM machine_disk_now',
  },
];

const ROWS_MAX = 3;

/** The latest readings, read from a database as any SQLite tool would. */
export function readReadings(file: string): Reading[] {
  const database = new Database(file, { readonly: true, fileMustExist: true, timeout: 200 });
  try {
    const tables = new Set(
      database
        .prepare<[], string>("SELECT name FROM sqlite_master WHERE type = 'table'")
        .pluck()
        .all(),
    );
    return QUERIES.filter(({ pact }) => tables.has(`${pact}_now`)).flatMap(({ pact, sql }) => {
      const limited = `${sql} GROUP BY 1 ORDER BY max(_at) DESC LIMIT ${ROWS_MAX}`;
      const texts = database.prepare<[], string | null>(limited).pluck().all();
      return texts.map((text) => ({ pact, text: text ?? '' }));
    });
  } finally {
    database.close();
  }
}
