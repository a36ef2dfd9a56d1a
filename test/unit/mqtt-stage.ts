import { createHash, randomBytes } from 'node:crypto';
import { MqttTransport } from '../../src/gossip/links/mqtt.ts';
import type { BrokerLogin } from '../../src/gossip/links/mqtt-connection.ts';
import type { Timers } from '../../src/ports/clock.ts';

/** The machine's own time, and which timers are still to fire. */
export function countedTimers(): { readonly timers: Timers; readonly pending: Set<object> } {
  const pending = new Set<object>();
  const after: Timers['after'] = (delayMs, wake) => {
    const entry = { delayMs };
    pending.add(entry);
    const cancel = TIMERS.after(delayMs, () => {
      pending.delete(entry);
      wake();
    });
    return () => {
      pending.delete(entry);
      cancel();
    };
  };
  return { timers: { ...TIMERS, after }, pending };
}

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
  readonly doubtMs?: number;
  readonly dialMs?: number;
  readonly timers?: Timers;
  readonly login?: BrokerLogin | (() => BrokerLogin);
}

export interface LoggedLine {
  readonly level: string;
  readonly event: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

export interface Stage {
  readonly transport: MqttTransport;
  /** Of its World, in hex. */
  readonly tag: string;
  readonly lines: readonly LoggedLine[];
  /** Resolves when it logs this, or has. */
  said(event: string): Promise<void>;
}

/** The transport of one Participant, and what it logs. */
export function guest(who: Guest): Stage {
  const lines: LoggedLine[] = [];
  let waiting: { readonly event: string; readonly done: () => void }[] = [];
  const world = bytesOf(who.world ?? 'world');
  const tag = world.subarray(0, 8);
  const { login } = who;
  const transport = new MqttTransport({
    timers: who.timers ?? TIMERS,
    random: { bytes: (count) => randomBytes(count), fraction: Math.random },
    log: (level, event, fields) => {
      lines.push({ level, event, fields });
      for (const each of waiting.filter((one) => one.event === event)) each.done();
      waiting = waiting.filter((one) => one.event !== event);
    },
    brokerKey: world,
    tag,
    self: bytesOf(who.name),
    login: () => (typeof login === 'function' ? login() : (login ?? null)),
    settings: {
      dialMs: who.dialMs ?? 20_000,
      backoffMinMs: 20,
      backoffMaxMs: 200,
      mqttKeepAliveMs: 30_000,
      mqttDoubtMs: who.doubtMs ?? 20_000,
      mqttAnnounceMs: 300_000,
    },
  });
  const said = (event: string): Promise<void> =>
    lines.some((line) => line.event === event)
      ? Promise.resolve()
      : new Promise((done) => waiting.push({ event, done }));
  return { transport, tag: Buffer.from(tag).toString('hex'), lines, said };
}
