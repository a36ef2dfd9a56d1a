import type { Command } from 'commander';
import type { TraceOwner, TraceReport } from '../../participant/face.ts';
import { type Cli, examples } from '../cli.ts';
import { CliError, EXIT } from '../exit-code.ts';
import { formatTable, plain, short } from '../table.ts';

export function registerTrace(program: Command, cli: Cli): void {
  program
    .command('trace')
    .summary('show which owners have an Entry')
    .description(
      'Shows a Finalized Entry and which owners of its Sync Group are known to have it: those ' +
        'that certified it, and those that are linked and say that they hold it.',
    )
    .argument('<entry>', 'PACT:SEQUENCE as `vertebra pull` prints it; or GROUP:SEQUENCE')
    .addHelpText('after', examples('vertebra trace door:17', 'vertebra trace 3fa9c1:17 --json'))
    .action(async (entry: string) => {
      const [, target, sequence] = /^(.+):([1-9]\d{0,15})$/.exec(entry) ?? [];
      if (target === undefined || !Number.isSafeInteger(Number(sequence))) {
        const message = `An Entry is PACT:SEQUENCE, as door:17, not ${JSON.stringify(entry)}.`;
        throw new CliError(EXIT.usage, 'usage', message);
      }
      const report = await (await cli.agent()).trace(target, Number(sequence));
      await cli.print(report, () => formatTrace(report));
    });
}

const WORDS: Readonly<Record<TraceOwner['state'], string>> = {
  here: 'holds: this Participant',
  issued: 'issued it',
  certified: 'certified it',
  holds: 'holds it (digest)',
  unknown: 'unknown',
};

function formatTrace(report: TraceReport): string {
  const issuer = report.issuerName ?? short(report.issuer);
  const head = [
    `Entry ${report.sequence} of ${report.pact} (${short(report.group)})`,
    `  Block      ${short(report.block)}, its Entry ${report.index}, issued by ${issuer}`,
    `  at         ${new Date(report.atMs).toISOString()}`,
    `  final by   ${report.metablock === null ? 'its owner alone' : short(report.metablock)}`,
  ];
  const rows = report.owners.map((owner) => [owner.name, short(owner.avatar), WORDS[owner.state]]);
  const text = head.map((line) => `${plain(line)}\n`).join('');
  return `${text}\n${formatTable(['owner', 'avatar', 'has it'], rows)}`;
}
