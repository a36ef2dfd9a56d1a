import type { Command } from 'commander';
import type { PeerReport } from '../../participant/face.ts';
import { type Cli, examples } from '../cli.ts';
import { formatBytes, formatMs, formatTable, short } from '../table.ts';

export function registerPeer(program: Command, cli: Cli): void {
  const peer = program.command('peer').description('See the links to others, or add one.');
  peer
    .command('list')
    .description(
      'Shows the links of this Participant: whom to, of what kind, how much they carried in the ' +
        'last minute and in all, what waits, frames that came broken or were sent again; those ' +
        'that stand by for a better one; and whom it tries to reach.',
    )
    .addHelpText('after', examples('vertebra peer list'))
    .action(async () => {
      const peers = await (await cli.agent()).peers();
      await cli.print(peers, () => formatPeers(peers));
    });
  peer
    .command('add')
    .description('Dials a link, now and after every start.')
    .argument('<url>', 'for instance tcp://192.168.1.7:7411')
    .addHelpText(
      'after',
      examples(
        'vertebra peer add tcp://192.168.1.7:7411',
        "vertebra peer add 'serial:///dev/ttyUSB0?baud=115200&compress=1'",
      ),
    )
    .action(async (url: string) => {
      await (await cli.agent()).addPeer(url);
      await cli.print({ url }, () => `${url} is dialled from now on.\n`);
    });
}

export function formatPeers(peers: readonly PeerReport[]): string {
  if (peers.length === 0) return 'No peers. Add one: vertebra peer add tcp://HOST:7411\n';
  const rows = peers.map((peer) => [
    peer.name,
    peer.avatar === null ? null : short(peer.avatar),
    peer.url,
    peer.kind,
    peer.state,
    isOpen(peer) ? formatMs(peer.upMs) : null,
    peer.roundTripMs === null ? null : formatMs(peer.roundTripMs),
    isOpen(peer) ? pair([peer.sentBytesPerSecond, peer.receivedBytesPerSecond]) : null,
    isOpen(peer) ? pair([peer.sentBytes, peer.receivedBytes]) : null,
    isOpen(peer) ? formatBytes(peer.queuedBytes) : null,
    peer.sentRatio === null ? null : `${ratio(peer.sentRatio)} / ${ratio(peer.receivedRatio)}`,
    peer.brokenFrames === null ? null : `${peer.brokenFrames} / ${peer.repeatedFrames}`,
    peer.lastError,
  ]);
  return formatTable(TITLES, rows);
}

const TITLES = [
  ...['peer', 'avatar', 'link', 'kind', 'state', 'up', 'round trip', 'out / in a second'],
  ...['sent / got', 'queue', 'compressed', 'broken / again', 'error'],
];

function isOpen({ state }: PeerReport): boolean {
  return state === 'connected' || state === 'stand-by';
}

function ratio(times: number | null): string {
  return `${(times ?? 1).toFixed(1)}x`;
}

function pair(bytes: readonly number[]): string {
  return bytes.map((each) => formatBytes(Math.round(each))).join(' / ');
}
