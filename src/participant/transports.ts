import { randomBytes } from 'node:crypto';
import { BudgetTransport } from '../gossip/links/budget-link.ts';
import { MqttTransport } from '../gossip/links/mqtt.ts';
import { SerialTransport } from '../gossip/links/serial.ts';
import { TcpTransport } from '../gossip/links/tcp.ts';
import { UdpTransport } from '../gossip/links/udp.ts';
import type { WorldKeys } from '../identity/index.ts';
import { fromHex } from '../model/bytes.ts';
import type { AvatarId } from '../model/sync-group.ts';
import type { Checksum } from '../ports/checksum.ts';
import type { Random, Timers } from '../ports/clock.ts';
import type { Transport } from '../ports/link.ts';
import { loadBrokerLogin } from './broker-login.ts';
import type { Config } from './config.ts';
import type { Logger } from './log.ts';

const RANDOM: Random = { bytes: (count) => randomBytes(count), fraction: Math.random };

/** What the kinds of links need, each a part of it. */
export interface TransportParts {
  readonly timers: Timers;
  readonly checksum: Checksum;
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
    serialOf(parts),
  ];
  return transports.map((each) => new BudgetTransport(each, timers));
}

function serialOf({ timers, checksum, log }: TransportParts): SerialTransport {
  const told = new Map<string, string>();
  return new SerialTransport({
    timers,
    checksum,
    random: RANDOM,
    onTrouble: (url, { message }) => {
      // It is tried again and again, and said once.
      const level = told.get(url) === message ? 'debug' : 'warn';
      told.set(url, message);
      log[level]('serial-trouble', { url, reason: message });
    },
  });
}

function mqttOf({ timers, world, self, config, log }: TransportParts): MqttTransport {
  return new MqttTransport({
    timers,
    random: RANDOM,
    log: (level, event, fields) => log[level](event, fields),
    brokerKey: world.brokerKey.reveal(),
    tag: world.tag,
    self: fromHex(self),
    login: () => loadBrokerLogin(config),
    settings: config,
  });
}
