import type { Command } from 'commander';
import { VERSION } from '../../model/version.ts';
import { type Cli, examples } from '../cli.ts';

export function registerVersion(program: Command, cli: Cli): void {
  program
    .command('version')
    .description('Prints the version.')
    .addHelpText('after', examples('vertebra version'))
    .action(async () => {
      const { node, v8 } = process.versions;
      const report = { version: VERSION, node, v8, platform: process.platform, arch: process.arch };
      await cli.print(report, () => `vertebra ${VERSION}\n`);
    });
}
