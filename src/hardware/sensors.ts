import { readdirSync, readFileSync } from 'node:fs';
import { cpus, freemem, loadavg, totalmem } from 'node:os';
import { join } from 'node:path';
import { readDisks, readNetwork } from './proc-counters.ts';

/** Pacts of `examples/pacts` whose Entries any machine can fill. */
export type SensorPact =
  | 'machine_load'
  | 'machine_memory'
  | 'machine_temperature'
  | 'machine_network'
  | 'machine_disk';

export type SensorEntry = Readonly<Record<string, string | number>>;

export interface SensorReading {
  readonly pact: SensorPact;
  /** One for each sensor, interface or disk; none where the machine has none. */
  readonly entries: readonly SensorEntry[];
}

export interface SensorOptions {
  /** What the machine calls itself, 1 to 255 characters. */
  readonly host: string;
  readonly wallMs: () => number;
  /** Where `/proc` and `/sys` are; tests bring their own. */
  readonly root?: string;
  /** Called once for each sensor that this machine lacks. */
  readonly missing: (sensor: string, reason: string) => void;
}

const TEMPERATURES_MAX = 32;
const CELSIUS_MIN = -100;
const CELSIUS_MAX = 250;
const NAME_CHARACTERS_MAX = 64;

/** Reads what a machine knows of itself. What it does not know is left out, and said once. */
export class MachineSensors {
  readonly #options: SensorOptions;
  readonly #root: string;
  readonly #said = new Set<string>();

  constructor(options: SensorOptions) {
    this.#options = options;
    this.#root = options.root ?? '/';
  }

  read(): SensorReading[] {
    const base = { host: this.#options.host, observed_at: this.#options.wallMs() };
    const readings: [SensorPact, () => readonly SensorEntry[]][] = [
      ['machine_load', readLoad],
      ['machine_memory', () => [this.#readMemory()]],
      ['machine_temperature', () => this.#readTemperatures()],
      ['machine_network', () => readNetwork(this.#text('proc/net/dev'))],
      ['machine_disk', () => readDisks(this.#text('proc/diskstats'), this.#names('sys/block'))],
    ];
    return readings.map(([pact, read]) => {
      const entries = this.#try(pact, read);
      if (entries !== null && entries.length === 0) this.#say(pact, 'this machine has none');
      return { pact, entries: (entries ?? []).map((entry) => ({ ...base, ...entry })) };
    });
  }

  #say(sensor: string, reason: string): void {
    if (this.#said.has(sensor)) return;
    this.#said.add(sensor);
    this.#options.missing(sensor, reason);
  }

  #try<Result>(sensor: string, read: () => Result): Result | null {
    try {
      return read();
    } catch (cause) {
      this.#say(sensor, cause instanceof Error ? cause.message : String(cause));
      return null;
    }
  }

  #text(path: string): string {
    return readFileSync(join(this.#root, path), 'utf8');
  }

  #names(path: string): string[] {
    return readdirSync(join(this.#root, path)).sort(byNumber);
  }

  #readMemory(): SensorEntry {
    const table = this.#try('meminfo', () => readTable(this.#text('proc/meminfo')));
    return {
      total_bytes: table?.get('MemTotal') ?? totalmem(),
      available_bytes: table?.get('MemAvailable') ?? freemem(),
    };
  }

  /** Thermal zones; where there are none, the sensors of the hardware monitors. */
  #readTemperatures(): SensorEntry[] {
    const zones = this.#try('thermal zones', () => this.#readZones()) ?? [];
    const found = zones.length > 0 ? zones : this.#readMonitors();
    const names = new Map<string, number>();
    const entries: SensorEntry[] = [];
    for (const { name, celsius } of found.slice(0, TEMPERATURES_MAX)) {
      const count = names.get(name) ?? 0;
      names.set(name, count + 1);
      const end = count === 0 ? '' : `-${count}`;
      const sensor = `${name.slice(0, NAME_CHARACTERS_MAX - end.length)}${end}`;
      entries.push({ sensor, celsius });
    }
    return entries;
  }

  #readZones(): Temperature[] {
    return this.#names('sys/class/thermal')
      .filter((name) => name.startsWith('thermal_zone'))
      .flatMap((zone) => {
        const folder = `sys/class/thermal/${zone}`;
        return this.#readTemperature(zone, `${folder}/temp`, `${folder}/type`);
      });
  }

  #readMonitors(): Temperature[] {
    const monitors = this.#try('hardware monitors', () => this.#names('sys/class/hwmon')) ?? [];
    return monitors.flatMap((monitor) => {
      const folder = `sys/class/hwmon/${monitor}`;
      const inputs = this.#names(folder).filter((name) => /^temp\d+_input$/.test(name));
      return inputs.flatMap((input) =>
        this.#readTemperature(`${monitor} ${input}`, `${folder}/${input}`, `${folder}/name`),
      );
    });
  }

  /** @returns one, or none where the sensor sleeps or is broken: it may answer the next time. */
  #readTemperature(sensor: string, valuePath: string, namePath: string): Temperature[] {
    const read = (): Temperature[] => {
      const celsius = Number(this.#text(valuePath).trim()) / 1000;
      const name = this.#text(namePath).trim();
      const isSound = celsius >= CELSIUS_MIN && celsius <= CELSIUS_MAX && name !== '';
      if (!isSound) throw new Error(`${sensor} says ${celsius} °C`);
      return [{ name, celsius }];
    };
    return this.#try(sensor, read) ?? [];
  }
}

interface Temperature {
  readonly name: string;
  readonly celsius: number;
}

function readLoad(): SensorEntry[] {
  const [load1, load5, load15] = loadavg().map((load) => Math.round(load * 100) / 100);
  return [
    {
      load1: load1 ?? 0,
      load5: load5 ?? 0,
      load15: load15 ?? 0,
      cores: Math.max(1, cpus().length),
    },
  ];
}

/** `/proc/meminfo`: a name, a colon, kibibytes (proc_meminfo(5)). */
function readTable(text: string): Map<string, number> {
  const table = new Map<string, number>();
  for (const [, name, kib] of text.matchAll(/^(\w+):\s+(\d+) kB$/gm)) {
    table.set(name!, Number(kib) * 1024);
  }
  return table;
}

/** `thermal_zone10` after `thermal_zone9`. */
function byNumber(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true });
}
