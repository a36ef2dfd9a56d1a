import type { Command } from 'commander';
import { plainJson } from '../../participant/plain-text.ts';
import { type Cli, examples } from '../cli.ts';
import { CliError, EXIT } from '../exit-code.ts';

interface PullFlags {
  readonly from: string;
  readonly follow?: boolean;
  readonly count?: string;
}

export function registerPull(program: Command, cli: Cli): void {
  program
    .command('pull')
    .summary('print Finalized Entries')
    .description(
      'Prints Finalized Entries of a Sync Group as NDJSON, in their order. Each has a ' +
        '`sequence`: to go on later, pull from the next one.',
    )
    .argument('<pact>', 'name of the Pact; or the beginning of the id of a Sync Group')
    .option('--from <sequence>', 'where to begin', '1')
    .option('--follow', 'go on with those that become final')
    .option('--count <n>', 'end after so many')
    .addHelpText(
      'after',
      examples(
        'vertebra pull door --count 10',
        'vertebra pull door --from 11 --follow | jq -c .entry',
      ),
    )
    .action(async (pact: string, flags: PullFlags) => {
      const from = readNumber('--from', flags.from);
      const count = flags.count === undefined ? null : readNumber('--count', flags.count);
      const range = { from, count, follow: flags.follow === true };
      await pull(cli, pact, range);
    });
}

async function pull(
  cli: Cli,
  pact: string,
  range: { readonly from: number; readonly count: number | null; readonly follow: boolean },
): Promise<void> {
  const stop = new AbortController();
  const { interrupted } = cli.io;
  const signal = AbortSignal.any([stop.signal, interrupted]);
  let next = range.from;
  let printed = 0;
  try {
    for await (const entry of (await cli.agent()).pull(pact, range, signal)) {
      const isRead = await cli.io.out(`${plainJson(entry)}\n`);
      next = entry.sequence + 1;
      printed++;
      if (isRead) continue;
      stop.abort();
      return;
    }
    if (interrupted.aborted) cli.exit = EXIT.interrupted;
    else if (range.follow && printed !== range.count) throw ended();
  } finally {
    if (range.follow && printed !== range.count && !stop.signal.aborted) {
      cli.io.err(`To go on from here: vertebra pull ${pact} --from ${next} --follow\n`);
    }
  }
}

function ended(): CliError {
  return new CliError(EXIT.unreachable, 'agent-unreachable', 'The agent ended.');
}

function readNumber(flag: string, text: string): number {
  const value = Number(text);
  if (/^\d{1,16}$/.test(text) && Number.isSafeInteger(value) && value >= 1) return value;
  const message = `${flag} takes a whole number from 1, not ${JSON.stringify(text)}.`;
  throw new CliError(EXIT.usage, 'usage', message);
}
