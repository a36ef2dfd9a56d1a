import type { Command } from 'commander';
import type { GroupChange, GroupReport, LineReport } from '../../participant/face.ts';
import { type Cli, examples } from '../cli.ts';
import { CliError, EXIT } from '../exit-code.ts';
import { plain, short } from '../table.ts';

interface ChangeOptions {
  readonly owner?: string[];
  readonly quorum?: string;
  readonly availability?: string;
}

const OWNER = 'everybody who is to own it: name or beginning of the key; self is this Participant';
const QUORUM = 'two-thirds, every-owner or strict; as before if not given';
const AVAILABILITY = 'entries or headers; as before if not given';

const WHAT_SPLIT_MEANS = `
A split is a fork on purpose, for a group whose Quorum will never come back. This Participant goes
on from what is final here, with the owners that are named, and takes nothing in the old group ever
again. If the lost owners come back with other Entries that are final, the two histories stay apart
for good: nothing brings them together. Who did it and when is shown for ever after.`;

/** Commands that change the owners or the rules of a Sync Group. */
export function registerGroupChange(group: Command, cli: Cli): void {
  registerChange(group, cli);
  registerSplit(group, cli);
}

function registerChange(group: Command, cli: Cli): void {
  group
    .command('change')
    .description(
      'Approves of other owners or rules for a Sync Group. Once a Quorum of its owners ' +
        'approves of the same, it hands over to a new Sync Group and takes nothing more.',
    )
    .argument('<group>', 'the beginning of its id, or a Pact that has one group only')
    .option('--owner <name...>', OWNER)
    .option('--quorum <policy>', QUORUM)
    .option('--availability <rule>', AVAILABILITY)
    .addHelpText(
      'after',
      examples(
        'vertebra group change door --owner self --owner attic cellar',
        'vertebra group change door --quorum every-owner',
      ),
    )
    .action(async (name: string, options: ChangeOptions) => {
      const report = await (await cli.agent()).changeGroup(name, toChange(options));
      await cli.print(report, () => formatChange(report));
    });
}

function registerSplit(group: Command, cli: Cli): void {
  group
    .command('split')
    .description('Takes a Sync Group on without its Quorum, where that is lost for good: a fork.')
    .argument('<group>', 'the beginning of its id, or a Pact that has one group only')
    .option('--accept-fork', 'yes, I know what this means (see below)')
    .requiredOption('--owner <name...>', OWNER)
    .option('--quorum <policy>', QUORUM)
    .option('--availability <rule>', AVAILABILITY)
    .addHelpText('after', WHAT_SPLIT_MEANS)
    .addHelpText('after', examples('vertebra group split door --accept-fork --owner self'))
    .action(async (name: string, options: ChangeOptions & { acceptFork?: boolean }) => {
      if (options.acceptFork !== true) {
        const message = `Nothing was done: --accept-fork is not given.\n${WHAT_SPLIT_MEANS.trim()}`;
        throw new CliError(EXIT.usage, 'fork-not-accepted', message);
      }
      const agent = await cli.agent();
      const report = await agent.splitGroup(name, { ...toChange(options), acceptFork: true });
      await cli.print(report, () => formatChange(report));
    });
}

function toChange({ owner, quorum, availability }: ChangeOptions): GroupChange {
  return {
    ...(owner === undefined ? {} : { owners: owner }),
    ...(quorum === undefined ? {} : { quorum }),
    ...(availability === undefined ? {} : { availability }),
  };
}

function formatChange(group: GroupReport): string {
  const name = `Sync Group ${short(group.id)} of ${group.pact}`;
  const [next] = group.successors;
  const lines = formatLine(group);
  if (group.ended === null && lines.length === 0)
    lines.push('approved; the others will hear of it');
  if (group.ended !== null && next !== undefined) {
    lines.push(`Next: vertebra group show ${short(next.group)}`);
  }
  return [`${name}:`, ...lines].map((line) => `${plain(line)}\n`).join('');
}

/** What a group goes on from, what goes on from it, and what its owners approve of. */
export function formatLine(group: GroupReport): string[] {
  const { predecessor, successors, ended, leftBlocks } = group;
  return [
    ...(predecessor === null ? [] : [`goes on from ${formatLink(predecessor)}`]),
    ...successors.map((each) => `goes on as ${formatLink(each)}`),
    ...(ended === 'hand-over' ? ['was handed over, and takes nothing more'] : []),
    ...(ended === 'split' ? ['was split here, and takes nothing more here'] : []),
    ...(leftBlocks === 0 ? [] : [`Blocks that did not become final here: ${leftBlocks}`]),
    ...group.approvals.map((each) => {
      const who = `${each.approved.length} of ${each.needed} needed (${each.approved.join(', ')})`;
      const what = `owners ${each.owners.join(' ')}, ${each.quorum}, ${each.availability}`;
      return `change approved by ${who}; awaited: ${each.awaited.join(', ') || 'nobody'}: ${what}`;
    }),
  ];
}

function formatLink({ group, kind, by }: LineReport): string {
  if (kind === 'hand-over') return `${short(group)} (hand-over)`;
  const who = by.map(({ owner, atMs }) => `by ${owner} at ${new Date(atMs).toISOString()}`);
  return `${short(group)} (SPLIT without a Quorum${who.length > 0 ? ` ${who.join(', ')}` : ''})`;
}
