import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { type Cli, examples } from '../cli.ts';
import { CliError, EXIT } from '../exit-code.ts';

/** From `build/cli/commands`; only a checkout has it. */
const RUNNER = fileURLToPath(new URL('../../../.ci/bench.mjs', import.meta.url));

export function registerBench(program: Command, cli: Cli): void {
  program
    .command('bench')
    .summary('measure, from a checkout')
    .description('Runs a benchmark with its peers. Works in a checkout only, where the peers are.')
    .argument('<name>', 'hash, pack, ingest, finality, idle, delays or scale')
    .addHelpText('after', examples('vertebra bench ingest'))
    .action(async (name: string) => {
      if (!existsSync(RUNNER)) {
        const message = 'Benchmarks are in a checkout of vertebra only: npm run bench -- NAME';
        throw new CliError(EXIT.notFound, 'bench', message);
      }
      const args = [RUNNER, name, ...(cli.isJson ? ['--json'] : [])];
      const child = spawn(process.execPath, args, { stdio: 'inherit' });
      const [status] = (await once(child, 'exit')) as [number | null];
      if (status !== 0) cli.exit = status === EXIT.usage ? EXIT.usage : EXIT.failed;
    });
}
