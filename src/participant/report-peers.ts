import type { DialStatus, LinkStatus, MeshStatus } from '../gossip/contract.ts';
import type { AvatarId } from '../model/sync-group.ts';
import type { PeerReport, StatusReport } from './face.ts';
import type { ReportParts } from './report.ts';

type PeerParts = Pick<ReportParts, 'core' | 'directory' | 'gossip'>;

/** One row for each link, those in use before those that stand by, and for each that is dialled. */
export function reportPeers(parts: PeerParts): PeerReport[] {
  const status = parts.gossip.status();
  const links = status.peers.flatMap((peer) => [
    reportLink(parts, status, { peer: peer.peer, link: peer, state: 'connected' }),
    ...peer.standBy.map((link) =>
      reportLink(parts, status, { peer: peer.peer, link, state: 'stand-by' }),
    ),
  ]);
  const dialled = status.dialling
    .filter((each) => each.state !== 'linked' && each.state !== 'stand-by')
    .map((each) => reportDial(parts, each));
  return [...links, ...dialled];
}

/** What all links carried since the start. */
export function reportTotals({
  totals,
  totalsByKind,
}: MeshStatus): Pick<StatusReport, 'sentBytes' | 'receivedBytes' | 'framesByKind'> {
  const framesByKind = Object.entries(totalsByKind).map(
    ([kind, each]) => [kind, each.framesSent + each.framesReceived] as const,
  );
  return {
    sentBytes: totals.bytesSent,
    receivedBytes: totals.bytesReceived,
    framesByKind: Object.fromEntries(framesByKind),
  };
}

function reportLink(
  { core, directory }: PeerParts,
  { dialling }: MeshStatus,
  at: { peer: AvatarId; link: LinkStatus; state: 'connected' | 'stand-by' },
): PeerReport {
  const { peer, link, state } = at;
  const dialled = dialling.find(
    (each) => each.peer === peer && each.kind === link.kind && each.state === 'linked',
  );
  return {
    avatar: peer,
    name: directory.nameOf(peer),
    url: dialled?.url ?? link.remote,
    kind: link.kind,
    state,
    upMs: Math.max(0, core.timers.wallMs() - link.upSinceMs),
    roundTripMs: link.roundTripMs,
    sentBytes: link.counters.bytesSent,
    receivedBytes: link.counters.bytesReceived,
    ...link.goodput,
    queuedBytes: link.queuedBytes,
    bytesPerSecond: link.bytesPerSecond,
    brokenFrames: link.repairs?.broken ?? null,
    repeatedFrames: link.repairs?.repeated ?? null,
    droppedNews: link.counters.dropped,
    ...ratiosOf(link),
    lastError: null,
  };
}

function ratiosOf({ compression }: LinkStatus): Pick<PeerReport, 'sentRatio' | 'receivedRatio'> {
  if (compression === null) return { sentRatio: null, receivedRatio: null };
  const { sentPlainBytes, sentBytes, receivedPlainBytes, receivedBytes } = compression;
  return {
    sentRatio: sentPlainBytes / Math.max(1, sentBytes),
    receivedRatio: receivedPlainBytes / Math.max(1, receivedBytes),
  };
}

function reportDial({ directory }: PeerParts, dial: DialStatus): PeerReport {
  return {
    avatar: dial.peer,
    name: dial.peer === null ? null : directory.nameOf(dial.peer),
    url: dial.url,
    kind: dial.kind,
    state: dial.state === 'waiting' ? 'waiting' : 'connecting',
    upMs: 0,
    roundTripMs: null,
    sentBytes: 0,
    receivedBytes: 0,
    sentBytesPerSecond: 0,
    receivedBytesPerSecond: 0,
    queuedBytes: 0,
    bytesPerSecond: null,
    brokenFrames: null,
    repeatedFrames: null,
    droppedNews: 0,
    sentRatio: null,
    receivedRatio: null,
    lastError: dial.lastError,
  };
}
