import type { LinkStatus, PeerStatus } from './contract.ts';
import type { Peer } from './peers.ts';
import type { Wire } from './wire.ts';

/** Of the slowest, in milliseconds; null where none is known. */
export function slowestOf(wires: Iterable<Wire>): number | null {
  let slowestMs: number | null = null;
  for (const { pulse } of wires) {
    if (pulse.roundTripMs !== null) slowestMs = Math.max(slowestMs ?? 0, pulse.roundTripMs);
  }
  return slowestMs;
}

/** What there is to see of one link. */
export function statusOfWire(wire: Wire): LinkStatus {
  const { kind, remote, initiator, upSinceMs, pulse, queuedBytes, counters } = wire;
  return {
    kind,
    remote,
    initiator,
    upSinceMs,
    roundTripMs: pulse.roundTripMs,
    queuedBytes,
    ...wire.measured,
    bytesPerSecond: wire.pace.bytesPerSecond,
    counters: structuredClone(counters),
    compression: wire.compression?.measured ?? null,
  };
}

export function statusOfPeer(
  { avatar, wire, misbehaviours }: Peer,
  neighbours: number,
  standBys: readonly Wire[],
): PeerStatus {
  const standBy = standBys.map(statusOfWire);
  return { ...statusOfWire(wire), peer: avatar, neighbours, misbehaviours, standBy };
}
