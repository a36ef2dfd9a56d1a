import type { Command } from 'commander';
import type { GroupReport, StatusReport } from '../../participant/face.ts';
import { type Cli, examples } from '../cli.ts';
import { formatBytes, formatMs, formatTable, plain, short } from '../table.ts';
import { formatPeers } from './peer.ts';

export function registerStatus(program: Command, cli: Cli): void {
  program
    .command('status')
    .summary('show how the agent is')
    .description('Shows how the agent is: peers, Sync Groups, how far they agree, devices, Sagas.')
    .addHelpText('after', examples('vertebra status', 'vertebra status --json | jq .finalityMs'))
    .action(async () => {
      const status = await (await cli.agent()).status();
      await cli.print(status, () => formatStatus(status));
    });
}

function formatStatus(status: StatusReport): string {
  const { finalityMs: finality } = status;
  const rows: [string, string][] = [
    ['World', status.world],
    ['Participant', `${status.name} (${short(status.avatar)})`],
    ['agent', `vertebra ${status.version}, pid ${status.pid}, up ${formatMs(status.upMs)}`],
    ['home', status.home],
    ['kernel', status.kernel],
    ['listening', status.listening.join(', ') || 'nowhere'],
    ['traffic', `${formatBytes(status.sentBytes)} sent, ${formatBytes(status.receivedBytes)} got`],
    ['final', `${status.finalizedEntries} Entries in ${status.generations} Generations`],
  ];
  if (finality !== null) {
    const times = `${formatMs(finality.p50)} (p50), ${formatMs(finality.p99)} (p99)`;
    rows.push(['finality', `${times} over ${finality.count} Blocks`]);
  }
  const head = rows.map(([name, value]) => `${name.padEnd(12)} ${plain(value)}\n`).join('');
  const alarm = status.halted === null ? '' : `\nHALTED: ${plain(status.halted)}\n`;
  const forks = status.forks.map(({ name, author, pact }) => {
    const log = `the log of ${plain(name ?? short(author))} in ${plain(pact)}`;
    return `\nFORKED: ${log}. See: vertebra log forks\n`;
  });
  const alarms = alarm + forks.join('');
  const devices = status.devices.length === 0 ? '' : `\n${formatDevices(status.devices)}`;
  const groups = formatGroups(status.groups);
  const sagas = status.sagas.known === 0 ? '' : `\n${formatSagas(status.sagas)}`;
  return `${head}${alarms}\n${formatPeers(status.peers)}\n${groups}${devices}${sagas}`;
}

/** How many Sagas run and ended; what some of them wait for follows in words. */
function formatSagas(sagas: StatusReport['sagas']): string {
  const { known, open, started, completed, compensated, refused, awaiting } = sagas;
  const titles = ['sagas', 'open', 'started', 'completed', 'compensated', 'refused'];
  const table = formatTable(titles, [[known, open, started, completed, compensated, refused]]);
  const notes = awaiting.map(({ saga, invocation, awaits }) =>
    plain(`${saga} (${short(invocation)}) waits for ${awaits}`),
  );
  return table + notes.map((note) => `${note}\n`).join('');
}

/** Devices, and who has each; why one is held back or failed follows in words. */
function formatDevices(devices: StatusReport['devices']): string {
  const titles = ['device', 'kind', 'where', 'holder', 'state', 'value'];
  const rows = devices.map(({ name, kind, where, holder, state, value }) => [
    ...[name, kind, where, holder, state],
    value === null ? null : formatValue(value),
  ]);
  const notes = devices.flatMap(({ name, detail }) =>
    detail === null ? [] : [`${plain(`${name}: ${detail}`)}\n`],
  );
  return formatTable(titles, rows) + notes.join('');
}

function formatValue(value: NonNullable<StatusReport['devices'][number]['value']>): string {
  if (typeof value === 'boolean') return value ? 'high' : 'low';
  return typeof value === 'number' ? String(value) : `${value.left} left, ${value.right} right`;
}

/** What everybody who looks should know of how a group came to be or ended. */
function noteLine({ ended, predecessor, successors, leftBlocks }: GroupReport, name: string) {
  const notes: string[] = [];
  const split = successors.filter(({ kind }) => kind === 'split');
  for (const { group } of split)
    notes.push(`SPLIT: ${name} goes on without its Quorum as ${short(group)}`);
  if (predecessor?.kind === 'split') {
    notes.push(`SPLIT: ${name} goes on without the Quorum of ${short(predecessor.group)}`);
  }
  const next = successors.find(({ kind }) => kind === 'hand-over');
  if (ended === 'hand-over') {
    notes.push(`${name} was handed over to ${next === undefined ? 'another' : short(next.group)}`);
  }
  if (leftBlocks > 0) notes.push(`${name} left ${leftBlocks} Blocks behind`);
  return notes;
}

/** How the Sync Groups stand; the awaited and alarms follow in words. */
export function formatGroups(groups: readonly GroupReport[]): string {
  if (groups.length === 0)
    return 'No Sync Groups yet. Make one: vertebra group add PACT --owner self\n';
  const rows = groups.map((group) => [
    group.pact,
    short(group.id),
    group.owners.map((owner) => owner.name ?? short(owner.avatar)).join(' '),
    `${group.quorum} of ${group.owners.length}`,
    group.own ? 'own' : 'held',
    group.lastSequence,
    group.lastSequence === 0 ? null : group.firstSequence,
    formatBytes(group.retainedBytes),
    group.finalizedLevel < 0 ? null : group.finalizedLevel,
    group.pendingBlocks,
    group.bufferedEntries,
  ]);
  const counts = ['final', 'from', 'kept', 'level', 'pending', 'buffer'];
  const titles = ['group', 'id', 'owners', 'quorum', 'here', ...counts];
  const notes = groups.flatMap((group) => {
    const name = `${group.pact} (${short(group.id)})`;
    const awaited =
      group.awaited.length === 0 ? [] : [`${name} awaits ${group.awaited.join(', ')}`];
    const notes = [...awaited, ...noteLine(group, name)];
    return group.alarm === null ? notes : [...notes, `ALARM in ${name}: ${group.alarm}`];
  });
  return formatTable(titles, rows) + notes.map((note) => `${plain(note)}\n`).join('');
}
