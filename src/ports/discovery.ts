/** Schemes of links that can be found: those that a host and a port lead to. */
export type FoundScheme = 'tcp' | 'udp';

/** What is told to everybody on the local network: no names. */
export interface Announcement {
  readonly scheme: FoundScheme;
  readonly port: number;
  /** Of the World, in hex. */
  readonly tag: string;
}

/** What somebody on the local network says of itself; anybody can say anything. */
export interface Found extends Announcement {
  /** IPv4 or IPv6 address that the word came from. */
  readonly host: string;
}

/** Finds others on the local network. @source issue 4, LAN discovery. */
export interface Discovery {
  /**
   * Announces these, and tells of those of others until it is stopped; of one's own it may tell.
   * What goes wrong on the network is reported and changes nothing else.
   */
  start(own: readonly Announcement[], handler: DiscoveryHandler): Promise<DiscoveryRun>;
}

export interface DiscoveryHandler {
  onFound(found: Found): void;
  onLost(found: Found): void;
  onTrouble(error: Error): void;
}

export interface DiscoveryRun {
  /** Takes back what was announced, and hears no more. */
  stop(): void;
}
