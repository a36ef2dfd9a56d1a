import { MachineSensors, type SensorEntry, type SensorPact } from '../hardware/sensors.ts';
import type { Timers } from '../ports/clock.ts';
import { type Channel, type ParticipantFace, RequestError } from './face.ts';
import type { Logger } from './log.ts';

export interface SensorFeedOptions {
  readonly face: ParticipantFace;
  readonly log: Logger;
  readonly timers: Timers;
  readonly intervalMs: number;
  readonly sensors: Pick<MachineSensors, 'read'>;
}

/** The sensors of this machine as a feed reads them. @param host What the machine calls itself. */
export function machineSensors(host: string, log: Logger, timers: Timers): MachineSensors {
  return new MachineSensors({
    host: host.slice(0, 255),
    wallMs: () => Math.round(timers.wallMs()),
    missing: (sensor, reason) => log.info('sensor-missing', { sensor, reason }),
  });
}

/**
 * Pushes this machine's readings, as often as told, into the Sync Groups of their Pacts. A Pact
 * without a group of ours is left out until there is one; a full Entry Buffer loses the reading,
 * for the next one is newer. Each of these is said once.
 */
export class SensorFeed {
  readonly #options: SensorFeedOptions;
  readonly #said = new Set<string>();
  #cancel: (() => void) | null = null;

  constructor(options: SensorFeedOptions) {
    this.#options = options;
  }

  start(): void {
    const { timers, intervalMs } = this.#options;
    const turn = (): void => {
      this.#cancel = timers.after(intervalMs, turn);
      this.push();
    };
    this.#cancel = timers.after(intervalMs, turn);
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = null;
  }

  /** Reads all sensors once. */
  push(): void {
    for (const { pact, entries } of this.#options.sensors.read()) {
      if (entries.length === 0) continue;
      const channel = this.#channelOf(pact);
      if (channel !== null) this.#pushInto(channel, pact, entries);
    }
  }

  #channelOf(pact: SensorPact): Channel | null {
    try {
      return this.#options.face.channel(pact);
    } catch (cause) {
      if (!(cause instanceof RequestError)) throw cause;
      this.#say(`${pact} ${cause.code}`, 'sensor-without-group', { pact, reason: cause.message });
      return null;
    }
  }

  #pushInto(channel: Channel, pact: SensorPact, entries: readonly SensorEntry[]): void {
    for (const entry of entries) {
      try {
        if (channel.tryPush(entry)) continue;
        this.#say(`${pact} full`, 'sensor-reading-lost', { pact, reason: 'Entry Buffer full' });
      } catch (cause) {
        if (!(cause instanceof RequestError)) throw cause;
        const { code, message } = cause;
        this.#say(`${pact} ${code}`, 'sensor-reading-refused', { pact, code, reason: message });
      }
    }
  }

  #say(key: string, event: string, fields: Readonly<Record<string, string>>): void {
    if (this.#said.has(key)) return;
    this.#said.add(key);
    this.#options.log.warn(event, fields);
  }
}
