import type { Command } from 'commander';
import { type Cli, examples } from '../cli.ts';

export function registerInit(program: Command, cli: Cli): void {
  program
    .command('init')
    .summary('make a home with a key')
    .description(
      'Makes a home: the key of this Participant and a file of settings. What is there already ' +
        'stays as it is.',
    )
    .option('--name <name>', "what it calls itself to its peers (this machine's name)")
    .addHelpText('after', examples('vertebra init --name attic'))
    .action(async ({ name }: { name?: string }) => {
      const { initHome } = await import('../../participant/membership.ts');
      const made = initHome(await cli.home(), name);
      const next = 'vertebra world create NAME --secret-file FILE';
      await cli.print(made, () =>
        made.made.length === 0
          ? `${made.home} is a home already; nothing was changed.\n`
          : `Made ${made.made.join(' and ')}.\nNext: ${next}\n`,
      );
    });
}
