import type { LinkStatus } from './contract.ts';
import type { Wire } from './wire.ts';

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
