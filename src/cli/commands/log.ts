import type { Command } from 'commander';
import type { AdoptReport } from '../../participant/adopting.ts';
import type { ForkReport, LogBlockReport, LogReport } from '../../participant/log-face.ts';
import { type Cli, examples } from '../cli.ts';
import { CliError, EXIT } from '../exit-code.ts';
import { formatTable, short } from '../table.ts';

export function registerLog(program: Command, cli: Cli): void {
  const log = program
    .command('log')
    .summary('see the log of each owner, and which of them fork')
    .description(
      'Every owner of a Sync Group writes a log: its Blocks, each naming the one before it. Who ' +
        'goes on from one place in two ways forks its log, and a proof of it spreads to all.',
    );
  log
    .command('list')
    .description('Shows each log: its last Block, and whether it grows or forked.')
    .addHelpText('after', examples('vertebra log list'))
    .action(async () => {
      const logs = await (await cli.agent()).logs();
      await cli.print(logs, () => formatLogs(logs));
    });
  registerShow(log, cli);
  log
    .command('forks')
    .description('Shows the logs that fork, with the Blocks that prove it and what to do next.')
    .addHelpText('after', examples('vertebra log forks'))
    .action(async () => {
      const agent = await cli.agent();
      const forks = await agent.forks();
      const { invalid } = await agent.status();
      await cli.print({ forks, invalid }, () => formatForks(forks) + formatInvalid(invalid));
    });
  registerAdopt(log, cli);
}

function registerShow(log: Command, cli: Cli): void {
  log
    .command('show')
    .description('Shows the last Blocks of one log; of a forked one, those of all branches here.')
    .argument('<group>', 'the beginning of its id, or a Pact that has one group only')
    .argument('<owner>', 'name or beginning of the key; self is this Participant')
    .option('--last <n>', 'how many', '20')
    .addHelpText('after', examples('vertebra log show door attic', 'vertebra log show 3fa9 self'))
    .action(async (group: string, owner: string, { last }: { last: string }) => {
      if (!/^[1-9]\d{0,2}$/.test(last)) {
        const message = `--last takes 1 to 999, not ${JSON.stringify(last)}.`;
        throw new CliError(EXIT.usage, 'usage', message);
      }
      const blocks = await (await cli.agent()).logTail(group, owner, Number(last));
      await cli.print(blocks, () => formatBlocks(blocks));
    });
}

function registerAdopt(log: Command, cli: Cli): void {
  log
    .command('adopt')
    .summary('go on under a new Avatar after this device was cloned or restored')
    .description(
      'For a device that found its own log further along elsewhere: a restored backup or a ' +
        'cloned card. Keeps what its database holds as history, makes a new key in a file of ' +
        'this World, and never uses the old one here again. Stop the agent first.',
    )
    .option('--force', 'also where nothing of its own came from elsewhere yet')
    .addHelpText('after', examples('vertebra log adopt', 'vertebra --world farm log adopt'))
    .action(async ({ force }: { force?: boolean }) => {
      const { adoptLog } = await import('../../participant/adopting.ts');
      const { DEFAULT_CONFIG } = await import('../../participant/config.ts');
      const [home, world] = [await cli.home(), await cli.world()];
      const isForced = force === true;
      const report = adoptLog({ home, world, config: DEFAULT_CONFIG, isForced });
      await cli.print(report, () => formatAdopted(report));
    });
}

function formatLogs(logs: readonly LogReport[]): string {
  if (logs.length === 0) return 'No logs yet: nobody issued a Block.\n';
  const rows = logs.map((log) => [
    log.pact,
    short(log.group),
    log.name ?? short(log.author),
    log.last === null ? null : short(log.last),
    log.sequence,
    log.finalSequence,
    log.state === 'growing' ? 'growing' : 'FORKED',
  ]);
  return formatTable(['group', 'id', 'owner', 'last', 'sequence', 'final', 'state'], rows);
}

function formatBlocks(blocks: readonly LogBlockReport[]): string {
  if (blocks.length === 0) return 'Nothing of this log is here.\n';
  const rows = blocks.map((block) => [
    block.sequence,
    short(block.block),
    block.previous === null ? null : short(block.previous),
    block.entryCount,
    new Date(block.atMs).toISOString(),
    block.state,
    block.held ? 'yes' : 'header only',
  ]);
  const titles = ['sequence', 'block', 'follows', 'entries', 'at', 'state', 'here'];
  return formatTable(titles, rows);
}

const NEXT_STEPS = `What to do: find out on the device of that owner which of these it is.
  a cloned card      two devices run with one key: stop both, then on each: vertebra log adopt
  a restored backup  the device came back with an older disk: stop it, then: vertebra log adopt
  neither            somebody has its key: take the device out of the World
Then let the other owners take the new Avatar in: vertebra group change GROUP --owner NAME...
What is final stays final. Nothing that the owner issued after the fork will be. docs/forks.md
`;

export function formatForks(forks: readonly ForkReport[]): string {
  if (forks.length === 0) return 'No log forks.\n';
  const lines = forks.map((fork) => {
    const own = fork.own ? ', this Participant' : '';
    const owner = `${fork.name ?? '-'} (${short(fork.author)})${own}`;
    const after = fork.previous === null ? 'at its beginning' : `after ${short(fork.previous)}`;
    return [
      `The log of ${owner} in ${fork.pact} (${short(fork.group)}) forks ${after}.`,
      `  Blocks ${fork.sequence}   ${fork.blocks.join('\n             ')}`,
      `  first seen ${new Date(fork.seenAtMs).toISOString()}`,
      '',
    ].join('\n');
  });
  return `${lines.join('')}\n${NEXT_STEPS}`;
}

function formatInvalid(invalid: readonly { readonly author: string; readonly fault: string }[]) {
  return invalid
    .map(({ author, fault }) => `${author} signed a Block that breaks the rules: ${fault}.\n`)
    .join('');
}

function formatAdopted({ retired, avatar, keyFile, groups }: AdoptReport): string {
  const head =
    `This Participant is Avatar ${avatar} in this World from now on; its key is in ${keyFile}.\n` +
    `Avatar ${retired} is over: it never issues or votes again from here.\n`;
  if (groups.length === 0) return `${head}Next: vertebra run\n`;
  const changes = groups.map(({ group, others }) => {
    const owners = [...others.map(short), short(avatar)].join(' ');
    return `  vertebra group change ${short(group)} --owner ${owners}\n`;
  });
  return (
    `${head}Next: vertebra run. Then, so that it owns again what it owned, ` +
    `on a Quorum of the other owners:\n${changes.join('')}`
  );
}
