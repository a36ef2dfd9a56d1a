import { TcpTransport } from '../gossip/links/tcp.ts';
import type { WorldKeys } from '../identity/index.ts';
import type { Timers } from '../ports/clock.ts';
import type { Transport } from '../ports/link.ts';
import type { Config } from './config.ts';
import type { Logger } from './log.ts';

/** What the kinds of links need, each a part of it. */
export interface TransportParts {
  readonly timers: Timers;
  readonly world: WorldKeys;
  readonly config: Config;
  readonly log: Logger;
}

/** One transport for each kind of link that a Participant has. */
export function makeTransports({ timers }: TransportParts): Transport[] {
  return [new TcpTransport({ timers })];
}
