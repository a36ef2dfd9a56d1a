import type { Command } from 'commander';
import type { Finding } from '../../participant/doctor.ts';
import { type Cli, examples } from '../cli.ts';
import { EXIT } from '../exit-code.ts';
import { plain } from '../table.ts';

const SIGNS = { ok: 'ok  ', note: 'note', problem: 'BAD ' } as const;

export function registerDoctor(program: Command, cli: Cli): void {
  program
    .command('doctor')
    .summary('look for what is wrong')
    .description(
      'Looks at this machine, the home and its Worlds, and says of each problem how to mend it. ' +
        'Ends with 8 where there are problems.',
    )
    .addHelpText('after', examples('vertebra doctor'))
    .action(async () => {
      const { diagnose } = await import('../../participant/doctor.ts');
      const { connectAgent } = await import('../../api/agent-client.ts');
      const home = await cli.home();
      const findings = await diagnose({
        home,
        environment: cli.io.environment,
        world: cli.options.world ?? null,
        isLive: async (world) => await connectAgent(world).isLive(),
      });
      if (findings.some((each) => each.state === 'problem')) cli.exit = EXIT.problems;
      await cli.print({ home: home.folder, findings }, () => findings.map(formatFinding).join(''));
    });
}

function formatFinding({ check, state, found, mend }: Finding): string {
  const line = `${SIGNS[state]} ${check.padEnd(18)} ${plain(found)}\n`;
  if (mend === null) return line;
  const steps = plain(mend)
    .split('\n')
    .join(`\n${' '.repeat(24)}`);
  return `${line}${' '.repeat(24)}${steps}\n`;
}
