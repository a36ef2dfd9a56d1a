import type { Command } from 'commander';
import type { PeerReport } from '../../participant/face.ts';
import { type Cli, examples } from '../cli.ts';
import { formatBytes, formatMs, formatTable, short } from '../table.ts';

export function registerPeer(program: Command, cli: Cli): void {
  const peer = program.command('peer').description('See the links to others, or add one.');
  peer
    .command('list')
    .description('Shows whom this Participant is linked to, and whom it tries to reach.')
    .addHelpText('after', examples('vertebra peer list'))
    .action(async () => {
      const peers = await (await cli.agent()).peers();
      await cli.print(peers, () => formatPeers(peers));
    });
  peer
    .command('add')
    .description('Dials a link, now and after every start.')
    .argument('<url>', 'for instance tcp://192.168.1.7:7411')
    .addHelpText('after', examples('vertebra peer add tcp://192.168.1.7:7411'))
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
    peer.state,
    peer.state === 'connected' ? formatMs(peer.upMs) : null,
    peer.roundTripMs === null ? null : formatMs(peer.roundTripMs),
    `${formatBytes(peer.sentBytes)} / ${formatBytes(peer.receivedBytes)}`,
    peer.lastError,
  ]);
  const titles = ['peer', 'avatar', 'link', 'state', 'up', 'round trip', 'sent / got', 'error'];
  return formatTable(titles, rows);
}
