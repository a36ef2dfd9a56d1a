import { randomBytes } from 'node:crypto';
import { BudgetTransport } from '../gossip/links/budget-link.ts';
import { MqttTransport } from '../gossip/links/mqtt.ts';
import { TcpTransport } from '../gossip/links/tcp.ts';
import { UdpTransport } from '../gossip/links/udp.ts';
import type { WorldKeys } from '../identity/index.ts';
import { fromHex } from '../model/bytes.ts';
import type { AvatarId } from '../model/sync-group.ts';
import type { Timers } from '../ports/clock.ts';
import type { Transport } from '../ports/link.ts';
import { loadBrokerLogin } from './broker-login.ts';
import type { Config } from './config.ts';
import type { Logger } from './log.ts';

/** What the kinds of links need, each a part of it. */
export interface TransportParts {
  readonly timers: Timers;
  readonly world: WorldKeys;
  readonly self: AvatarId;
  readonly config: Config;
  readonly log: Logger;
}

/** One transport for each kind of link that a Participant has; any link may have a budget. */
export function makeTransports(parts: TransportParts): Transport[] {
  const { timers, config } = parts;
  const transports: Transport[] = [
    new TcpTransport({ timers }),
    new UdpTransport({ timers, bytesPerSecondMax: config.udpBytesPerSecondMax }),
    mqttOf(parts),
  ];
  return transports.map((each) => new BudgetTransport(each, timers));
}

function mqttOf({ timers, world, self, config, log }: TransportParts): MqttTransport {
  return new MqttTransport({
    timers,
    random: { bytes: (count) => randomBytes(count), fraction: Math.random },
    log: (level, event, fields) => log[level](event, fields),
    brokerKey: world.brokerKey.reveal(),
    tag: world.tag,
    self: fromHex(self),
    login: () => loadBrokerLogin(config),
    settings: config,
  });
}
