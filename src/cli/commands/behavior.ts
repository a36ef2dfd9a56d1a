import type { Command } from 'commander';
import { type Cli, examples } from '../cli.ts';
import { formatTable, short } from '../table.ts';

export function registerBehavior(program: Command, cli: Cli): void {
  const behavior = program
    .command('behavior')
    .description('Deploy Behaviors, the code that Saga Stages run, or see those known.');
  behavior
    .command('add')
    .description('Bundles or compiles a file and deploys it. It spreads to the whole World.')
    .argument('<file>', '.ts, .js, .as.ts (AssemblyScript) or .wasm')
    .addHelpText('after', examples('vertebra behavior add examples/order/retrieve.ts'))
    .action(async (file: string) => {
      const { readBehaviorFile } = await import('../../participant/saga-module.ts');
      const report = await (await cli.agent()).addBehavior(await readBehaviorFile(file));
      await cli.print(report, () => `Behavior ${report.name} (${short(report.id)}).\n`);
    });
  behavior
    .command('list')
    .description('Shows the Behaviors that are known, all versions.')
    .addHelpText('after', examples('vertebra behavior list'))
    .action(async () => {
      const all = await (await cli.agent()).behaviors();
      const rows = all.map((each) => [
        each.name,
        short(each.id),
        each.kind,
        each.consumes.join(', '),
        each.produces.join(', ') || '-',
        each.devices.join(', ') || '-',
        each.undoes ? 'yes' : 'no',
      ]);
      const head = ['name', 'id', 'kind', 'consumes', 'produces', 'devices', 'undoes'];
      await cli.print(all, () => formatTable(head, rows));
    });
}
