import type { Command } from 'commander';
import { type Cli, examples } from '../cli.ts';
import { CliError, EXIT } from '../exit-code.ts';
import { CsvRows, JsonRows, type RowWriter, TableRows } from '../row-writer.ts';
import { plain } from '../table.ts';

/** Rows are written together, this many characters or more at a time. */
const WRITE_CHARACTERS = 32 * 1024;

export function registerQuery(program: Command, cli: Cli): void {
  program
    .command('query')
    .summary('run SQL on the data')
    .description(
      "Runs one SELECT on the World's database, with or without the agent. With --json a JSON " +
        'object a row; bytes are printed in hexadecimal digits.',
    )
    .argument('<sql>', 'one SQL statement that reads')
    .option('--csv', 'print comma-separated values')
    .addHelpText(
      'after',
      examples(
        'vertebra query "SELECT host, load1 FROM machine_load_now ORDER BY load1 DESC"',
        'vertebra query "SELECT * FROM door" --csv > door.csv',
      ),
    )
    .action(async (sql: string, flags: { csv?: boolean }) => {
      if (flags.csv && cli.isJson) {
        throw new CliError(EXIT.usage, 'usage', 'Take --csv or --json, not both.');
      }
      const { readWorld } = await import('../../participant/reading.ts');
      const store = readWorld(await cli.world());
      try {
        const { columns, rows } = store.query(sql);
        const writer = flags.csv
          ? new CsvRows(columns)
          : cli.isJson
            ? new JsonRows(columns)
            : new TableRows(columns);
        await write(cli, rows, writer);
      } finally {
        store.close();
      }
    });
}

async function write(
  cli: Cli,
  rows: Iterable<readonly unknown[]>,
  writer: RowWriter,
): Promise<void> {
  // Comma-separated values stay whole for programs; on a screen they must not steer it.
  const shown = cli.io.isOutputTerminal ? plain : (text: string): string => text;
  let text = writer.begin();
  for (const row of rows) {
    text += writer.row(row);
    if (text.length < WRITE_CHARACTERS) continue;
    if (!(await cli.io.out(shown(text)))) return;
    text = '';
  }
  await cli.io.out(shown(text + writer.end()));
}
