import { createReadStream } from 'node:fs';
import type { Command } from 'commander';
import type { PushState } from '../../api/entries.ts';
import { type Cli, examples } from '../cli.ts';
import { CliError, EXIT } from '../exit-code.ts';
import { readPushBody } from '../push-body.ts';

const WAITS: readonly PushState[] = ['taken', 'durable', 'final'];

interface PushFlags {
  readonly wait: string;
  readonly timeout?: string;
}

export function registerPush(program: Command, cli: Cli): void {
  program
    .command('push')
    .summary('push Entries')
    .description(
      'Pushes Entries into the Sync Group of a Pact: one JSON object, a JSON array (all or none ' +
        'of it is taken), or NDJSON (a JSON object a line, one after the other, without end if ' +
        'you like).',
    )
    .argument('<pact>', 'name of the Pact; or the beginning of the id of a Sync Group')
    .argument('[file]', 'where to read; - is the standard input', '-')
    .option('--wait <state>', 'until they are taken, durable or final', 'durable')
    .option('--timeout <seconds>', 'give up waiting after so long (exit code 7)')
    .addHelpText(
      'after',
      examples(
        `echo '{"door":"front","open":true}' | vertebra push door`,
        'vertebra push door history.ndjson --wait final --timeout 60',
      ),
    )
    .action(async (pact: string, file: string, flags: PushFlags) => {
      const wait = WAITS.find((each) => each === flags.wait);
      if (wait === undefined) throw usage(`--wait takes ${WAITS.join(', ')}, not ${flags.wait}.`);
      const timeoutMs = flags.timeout === undefined ? null : readSeconds(flags.timeout) * 1000;
      if (file === '-' && cli.io.isInputTerminal) {
        cli.io.err('Reading Entries from the terminal; Ctrl-D ends them.\n');
      }
      const agent = await cli.agent();
      const input = file === '-' ? cli.io.input : open(file);
      const body = await readPushBody(input);
      // Not before: until there is something to push, a signal ends the process as always.
      const { interrupted: signal } = cli.io;
      const report = await agent.push(pact, body, { wait, timeoutMs, signal });
      const noun = report.taken === 1 ? 'Entry' : 'Entries';
      await cli.print(report, () => `${report.taken} ${noun} ${report.state}.\n`);
    });
}

function usage(message: string): CliError {
  return new CliError(EXIT.usage, 'usage', message);
}

function readSeconds(text: string): number {
  const seconds = Number(text);
  if (/^\d+(\.\d+)?$/.test(text) && seconds > 0 && seconds <= 86_400) return seconds;
  throw usage(`--timeout takes seconds, above 0 and at most 86400, not ${JSON.stringify(text)}.`);
}

/** A file that cannot be read is told apart from an agent that cannot be reached. */
async function* open(file: string): AsyncGenerator<Uint8Array> {
  try {
    yield* createReadStream(file) as AsyncIterable<Uint8Array>;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CliError(EXIT.notFound, 'file', `${file} cannot be read: ${reason}`, { cause });
  }
}
