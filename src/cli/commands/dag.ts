import { writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import { type Cli, examples } from '../cli.ts';
import { CliError, EXIT } from '../exit-code.ts';

/** What the system says of a path, in words that name the path. */
function writeSvg(file: string, svg: string): void {
  try {
    writeFileSync(file, svg);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const message = `Cannot write ${JSON.stringify(file)} (${reason}): name another file.`;
    throw new CliError(EXIT.failed, 'file-not-written', message);
  }
}

export function registerDag(program: Command, cli: Cli): void {
  program
    .command('dag')
    .summary('draw the Metablocks')
    .description(
      'Draws the last Generations of the SIC-DAG: a line for each Metablock, or an SVG with a ' +
        'column for each Generation and a row for each issuer.',
    )
    .option('--svg <file>', 'write an SVG; - is the standard output')
    .option('--generations <n>', 'how many of the last Generations', '20')
    .addHelpText('after', examples('vertebra dag', 'vertebra dag --svg dag.svg --generations 40'))
    .action(async (flags: { svg?: string; generations: string }) => {
      if (!/^[1-9]\d{0,3}$/.test(flags.generations)) {
        const message = `--generations takes 1 to 9999, not ${JSON.stringify(flags.generations)}.`;
        throw new CliError(EXIT.usage, 'usage', message);
      }
      const report = await (await cli.agent()).dag(Number(flags.generations));
      if (flags.svg === undefined) {
        const { drawText } = await import('../dag-text.ts');
        await cli.print(report, () => drawText(report));
        return;
      }
      const { drawSvg } = await import('../dag-svg.ts');
      const svg = drawSvg(report);
      if (flags.svg === '-') {
        await cli.io.out(svg);
        return;
      }
      const file = flags.svg;
      writeSvg(file, svg);
      const metablocks = report.nodes.length;
      await cli.print({ file, metablocks }, () => `${metablocks} Metablocks drawn in ${file}.\n`);
    });
}
