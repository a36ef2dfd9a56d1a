import { resolve } from 'node:path';
import type { Command } from 'commander';
import { type Cli, examples } from '../cli.ts';
import { CliError, EXIT } from '../exit-code.ts';

interface DemoFlags {
  readonly seconds?: string;
  readonly sensors: string;
  readonly keep?: string;
}

export function registerDemo(program: Command, cli: Cli): void {
  program
    .command('demo')
    .summary('see three Participants agree')
    .description(
      'Starts three Participants, each a process with its own home and database, that form a ' +
        "World over TCP, an MQTT broker and a serial line, and agree on this machine's own " +
        'sensors. Keys 1, 2 and 3 kill one of them or bring it back; t, m and s cut the TCP, the ' +
        'MQTT or the serial wire, or mend it; q or Ctrl-C ends it. With --json the last line ' +
        'says whether all agree, and what each wire carried.',
    )
    .option('--seconds <n>', 'end by itself after so long')
    .option('--sensors <ms>', 'how often each reads its sensors', '500')
    .option('--keep <dir>', 'where to put the three homes, and leave them')
    .addHelpText('after', examples('vertebra demo', 'vertebra demo --seconds 20 --json'))
    .action(async (flags: DemoFlags) => {
      const seconds = flags.seconds === undefined ? null : readNumber('--seconds', flags.seconds);
      const sensorsMs = readNumber('--sensors', flags.sensors);
      const folder = flags.keep === undefined ? null : resolve(flags.keep);
      const { DemoRun } = await import('../demo/demo-run.ts');
      const demo = new DemoRun({ seconds, json: cli.isJson, sensorsMs, folder });
      const { interrupted } = cli.io;
      interrupted.addEventListener('abort', () => demo.end(), { once: true });
      if (!(await demo.run())) cli.exit = EXIT.failed;
    });
}

function readNumber(flag: string, text: string): number {
  const value = Number(text);
  if (/^\d{1,9}$/.test(text) && value >= 1) return value;
  const message = `${flag} takes a whole number from 1, not ${JSON.stringify(text)}.`;
  throw new CliError(EXIT.usage, 'usage', message);
}
