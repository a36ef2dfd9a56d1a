import type { Timers } from '../../ports/clock.ts';

export interface UdpAddress {
  readonly host: string;
  readonly port: number;
}

/** What a link needs of the socket that it shares. */
export interface UdpLinkParts {
  readonly id: string;
  readonly remote: string;
  readonly timers: Timers;
  readonly bytesPerSecondMax: number;
  readonly address: UdpAddress;
  readonly post: (datagram: Uint8Array, to: UdpAddress) => void;
  /** It hears no more datagrams. */
  readonly onGone: () => void;
}
