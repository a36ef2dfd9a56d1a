import type { Command } from 'commander';
import type {
  InvocationReport,
  SagaReplay,
  SagaReport,
  SagaTrace,
} from '../../participant/saga-face.ts';
import { type Cli, examples } from '../cli.ts';
import { CliError, EXIT } from '../exit-code.ts';
import { formatTable, plain, short } from '../table.ts';

export function registerSaga(program: Command, cli: Cli): void {
  const saga = program.command('saga').description('Deploy Sagas, and see what became of them.');
  saga
    .command('deploy')
    .description('Deploys a Saga, with the Behaviors that its file names. All of it spreads.')
    .argument('<file>', 'a .ts, .js or .json file with what defineSaga makes')
    .option('--owner <name...>', 'who owns its States; self where nobody is named')
    .addHelpText('after', examples('vertebra saga deploy examples/order/order.saga.ts'))
    .action(async (file: string, { owner = [] }: { owner?: string[] }) => {
      const agent = await cli.agent();
      const { readSagaModule } = await import('../../participant/saga-module.ts');
      const { saga: value, behaviors } = await readSagaModule(file);
      for (const each of behaviors) await agent.addBehavior(each);
      const report = await agent.deploySaga(value, owner);
      await cli.print(report, () => formatSaga(report));
    });
  saga
    .command('list')
    .description('Shows the Sagas that are known, and their newest invocations.')
    .addHelpText('after', examples('vertebra saga list'))
    .action(async () => {
      const all = await (await cli.agent()).sagas();
      await cli.print(all, () => all.map(formatSaga).join('\n') || 'No Sagas are known.\n');
    });
  saga
    .command('trace')
    .description('Shows every step of one invocation: what it consumed, produced, and where.')
    .argument('<id>', 'the beginning of its id, as `saga list` shows')
    .addHelpText('after', examples('vertebra saga trace 3fa9'))
    .action(async (id: string) => {
      const trace = await (await cli.agent()).traceSaga(id);
      await cli.print(trace, () => formatTrace(trace));
    });
  saga
    .command('replay')
    .description('Runs an invocation again from the log, moving nothing, and compares.')
    .argument('<id>', 'the beginning of its id')
    .addHelpText('after', examples('vertebra saga replay 3fa9'))
    .action(async (id: string) => {
      const replay = await (await cli.agent()).replaySaga(id);
      await cli.print(replay, () => formatReplay(replay));
      if (replay.same) return;
      throw new CliError(EXIT.failed, 'saga-differs', 'The replay differs from the log.');
    });
}

function formatSaga(saga: SagaReport): string {
  const stages = saga.stages.map((stage, place) => [
    `${place + 1}`,
    stage.name,
    stage.consumes,
    stage.produces.join(', ') || '-',
    stage.criteria.join(', ') || '-',
  ]);
  const head = ['', 'Stage', 'consumes', 'produces', 'runs where'];
  const title = `Saga ${saga.name} (${short(saga.id)}), started by ${saga.initiating}\n`;
  const table = formatTable(head, stages);
  if (saga.invocations.length === 0) return `${title}${table}`;
  const rows = saga.invocations.map((each) => [short(each.id), each.state, outcomeOf(each)]);
  return `${title}${table}${formatTable(['invocation', 'state', ''], rows)}`;
}

function outcomeOf({ awaits, failure }: InvocationReport): string {
  const parts = [failure ?? '', awaits === null ? '' : `waits for ${awaits}`];
  return plain(parts.filter((each) => each !== '').join('; '));
}

function formatTrace(trace: SagaTrace): string {
  const head = ['step', 'kind', 'Stage', 'at', 'when', 'consumed', 'produced', ''];
  const rows = trace.states.map((state) => [
    String(state.step),
    state.kind,
    state.stage,
    plain(state.at),
    new Date(state.atMs).toISOString(),
    state.consumed === null ? '-' : `#${state.consumed.sequence}`,
    state.produced
      .map(({ pact, sequence }) => `${pact} ${sequence === null ? '-' : `#${sequence}`}`)
      .join(', ') || '-',
    noteOf(state),
  ]);
  const outcome = outcomeOf(trace);
  return `Saga ${trace.saga}, ${trace.id}: ${trace.state}. ${outcome}\n${formatTable(head, rows)}`;
}

function noteOf(state: SagaTrace['states'][number]): string {
  if (!state.counts) return 'came second: no effect';
  const undone = state.undone.length === 0 ? '' : `undone: ${state.undone.join(', ')}`;
  const stuck = state.stuck.length === 0 ? '' : `could not be undone: ${state.stuck.join(', ')}`;
  return plain([state.failure ?? '', undone, stuck].filter((each) => each !== '').join('; '));
}

function formatReplay({ same, steps }: SagaReplay): string {
  const rows = steps.map(({ step, differs }) => [String(step), differs ?? 'the same']);
  const word = same ? 'Every State is the same.' : 'It differs from the log.';
  return `${word}\n${formatTable(['step', ''], rows)}`;
}
