import { createHash, randomBytes } from 'node:crypto';
import { MqttTransport } from '../../src/gossip/links/mqtt.ts';
import type { BrokerLogin } from '../../src/gossip/links/mqtt-connection.ts';
import type { Timers } from '../../src/ports/clock.ts';

/** The machine's own time: brokers are real here. */
export const TIMERS: Timers = {
  monotonicMs: () => performance.now(),
  wallMs: () => Date.now(),
  after: (delayMs, wake) => {
    const timer = setTimeout(wake, delayMs);
    return () => clearTimeout(timer);
  },
};

const bytesOf = (text: string) => Uint8Array.from(createHash('sha256').update(text).digest());

export interface Guest {
  readonly name: string;
  readonly world?: string;
  readonly login?: BrokerLogin;
  readonly announceMs?: number;
}

export interface LoggedLine {
  readonly level: string;
  readonly event: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** The transport of one Participant, and what it logs. */
export function guest(who: Guest): { transport: MqttTransport; lines: LoggedLine[] } {
  const lines: LoggedLine[] = [];
  const world = bytesOf(who.world ?? 'world');
  const transport = new MqttTransport({
    timers: TIMERS,
    random: { bytes: (count) => randomBytes(count), fraction: Math.random },
    log: (level, event, fields) => lines.push({ level, event, fields }),
    brokerKey: world,
    tag: world.subarray(0, 8),
    self: bytesOf(who.name),
    login: () => who.login ?? null,
    settings: {
      dialMs: 20_000,
      backoffMinMs: 20,
      backoffMaxMs: 200,
      mqttKeepAliveMs: 30_000,
      mqttDoubtMs: 10_000,
      mqttAnnounceMs: who.announceMs ?? 300_000,
    },
  });
  return { transport, lines };
}
