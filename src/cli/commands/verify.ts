import type { Command } from 'commander';
import type { VerifyCounts, VerifyReport } from '../../participant/verify.ts';
import { type Cli, examples } from '../cli.ts';
import { EXIT } from '../exit-code.ts';

export function registerVerify(program: Command, cli: Cli): void {
  program
    .command('verify')
    .summary('prove the database')
    .description(
      'Recomputes every hash, signature, chain and row from the signed bytes. Ends with 1 and ' +
        'names the first row, Block or Certificate that does not hold. Works with or without the ' +
        'agent.',
    )
    .addHelpText('after', examples('vertebra verify'))
    .action(async () => {
      const { verifyWorld } = await import('../../participant/verify.ts');
      const { databaseOf } = await import('../../participant/reading.ts');
      const report = verifyWorld({ file: databaseOf(await cli.world()) });
      if (report.fault !== null) cli.exit = EXIT.failed;
      await cli.print(report, () => formatReport(report));
    });
}

function formatReport({ fault, counts, from }: VerifyReport): string {
  const cuts = from.map(({ group, sequence, signatures }) => {
    return `${group} holds from Entry ${sequence} on: ${signatures} owners signed what is gone.\n`;
  });
  if (fault === null) return `All holds: ${formatCounts(counts)}.\n${cuts.join('')}`;
  const { table, key, problem } = fault;
  return `Does not hold: ${table} ${key}: ${problem}\nUntil there: ${formatCounts(counts)}.\n`;
}

function formatCounts(counts: VerifyCounts): string {
  return [
    `${counts.pacts} Pacts`,
    `${counts.groups} Sync Groups`,
    `${counts.blocks} Blocks`,
    `${counts.entries} Entries`,
    `${counts.metablocks} Metablocks`,
    `${counts.certificates} Certificates`,
    `${counts.rows} rows`,
    ...(counts.splits === 0 ? [] : [`${counts.splits} split without a Quorum`]),
  ].join(', ');
}
