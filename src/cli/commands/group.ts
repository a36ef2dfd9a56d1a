import type { Command } from 'commander';
import type { GroupReport } from '../../participant/face.ts';
import { type Cli, examples } from '../cli.ts';
import { CliError, EXIT } from '../exit-code.ts';
import { formatBytes, plain, short } from '../table.ts';
import { formatLine, registerGroupChange } from './group-change.ts';
import { formatGroups } from './status.ts';

export function registerGroup(program: Command, cli: Cli): void {
  const group = program.command('group').description('Make Sync Groups, or see those known.');
  group
    .command('add')
    .description('Makes the Sync Group of a Pact and its owners, who push and agree.')
    .argument('<pact>', 'name of the Pact, or the beginning of its id')
    .requiredOption(
      '--owner <name...>',
      'name or beginning of the key, as `peer list` shows; self is this Participant',
    )
    .addHelpText('after', examples('vertebra group add door --owner self --owner attic cellar'))
    .action(async (pact: string, { owner }: { owner: string[] }) => {
      const report = await (await cli.agent()).addGroup(pact, owner);
      const next = `vertebra push ${report.pact} FILE`;
      await cli.print(report, () => {
        const owners = `${report.owners.length} owners, ${report.quorum} of them decide`;
        return `Sync Group ${short(report.id)} of ${report.pact}: ${owners}.\nNext: ${next}\n`;
      });
    });
  registerGroupChange(group, cli);
  group
    .command('list')
    .description('Shows the Sync Groups that are known and how they stand.')
    .addHelpText('after', examples('vertebra group list'))
    .action(async () => {
      const groups = await (await cli.agent()).groups();
      await cli.print(groups, () => formatGroups(groups));
    });
  group
    .command('show')
    .description('Shows one Sync Group.')
    .argument('<group>', 'the beginning of its id, or a Pact that has one group only')
    .addHelpText('after', examples('vertebra group show door'))
    .action(async (name: string) => {
      const found = findGroup(await (await cli.agent()).groups(), name);
      await cli.print(found, () => formatGroup(found));
    });
}

function findGroup(groups: readonly GroupReport[], name: string): GroupReport {
  const named = groups.filter((each) => each.pact === name);
  const found = named.length > 0 ? named : groups.filter((each) => each.id.startsWith(name));
  const [first, ...others] = found;
  if (first === undefined) {
    const message = `There is no Sync Group ${name}. Those known: vertebra group list`;
    throw new CliError(EXIT.notFound, 'group-unknown', message);
  }
  if (others.length === 0) return first;
  const ids = found.map((each) => short(each.id)).join(', ');
  const message = `${name} may mean several Sync Groups; name one by its id: ${ids}`;
  throw new CliError(EXIT.conflict, 'group-ambiguous', message);
}

function formatGroup(group: GroupReport): string {
  const rows: [string, string | number][] = [
    ['Sync Group', group.id],
    ['Pact', group.pact],
    ['_group in SQL', group.number],
    ['Quorum', `${group.quorum} of ${group.owners.length} (${group.quorumPolicy})`],
    ['availability', group.availability],
    ['this Participant', group.own ? 'is an owner' : 'is no owner: holds and verifies'],
    ['Ballot', group.ballot],
    ['finalized Level', group.finalizedLevel],
    ['HCG, HFG', `${group.highestCertified}, ${group.highestFinalizable}`],
    ['Entries final', group.lastSequence],
    ['Entries here', `from ${group.firstSequence} on, ${formatBytes(group.retainedBytes)}`],
    ['Blocks pending', group.pendingBlocks],
    ['Entries buffered', group.bufferedEntries],
    ['awaited', group.awaited.join(', ') || 'nobody'],
    ...(group.alarm === null ? [] : ([['ALARM', group.alarm]] as [string, string][])),
  ];
  const lines = rows.map(([name, value]) => `${name.padEnd(17)} ${plain(String(value))}\n`);
  const owners = group.owners.map((owner) => `  ${owner.avatar}  ${plain(owner.name ?? '-')}\n`);
  const line = formatLine(group).map((each) => `${plain(each)}\n`);
  return `${lines.join('')}owners\n${owners.join('')}${line.join('')}`;
}
