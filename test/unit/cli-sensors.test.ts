import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { MachineSensors } from '../../src/hardware/sensors.ts';
import { openLogger } from '../../src/participant/log.ts';
import { SensorFeed } from '../../src/participant/sensor-feed.ts';
import { createPactReader } from '../../src/schema/pact-reader.ts';
import { SampleFace } from './cli-sample-face.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'vertebra-sensors-'));
});
afterEach(() => rmSync(root, { recursive: true }));

function put(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

function machine(missing: string[] = []) {
  const say = (sensor: string) => missing.push(sensor);
  return new MachineSensors({ host: 'pi', wallMs: () => 5, root, missing: say });
}

const entriesOf = (pact: string, sensors = machine()) =>
  sensors.read().find((reading) => reading.pact === pact)!.entries;

const base = { host: 'pi', observed_at: 5 };
const TITLES = 'Inter-| Receive\n face |bytes\n';

describe('a machine', () => {
  test('counts what went over its interfaces, not over loops and containers', () => {
    put(
      'proc/net/dev',
      `${TITLES}    lo: 9 1 0 0 0 0 0 0 9 1 0 0 0 0 0 0
  eth0: 100 2 0 0 0 0 0 0 50 1 0 0 0 0 0 0
wlan0:7 1 0 0 0 0 0 0 8 1 0 0 0 0 0 0
veth12: 7 1 0 0 0 0 0 0 8 1 0 0 0 0 0 0
  ifb0: 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
 half0: 1 2
`,
    );
    expect(entriesOf('machine_network')).toEqual([
      { ...base, interface: 'eth0', received_bytes: 100, sent_bytes: 50 },
      { ...base, interface: 'wlan0', received_bytes: 7, sent_bytes: 8 },
    ]);
  });

  test('names at most 16 interfaces', () => {
    const line = (index: number) => `e${index}: 1 0 0 0 0 0 0 0 1 0 0 0 0 0 0 0\n`;
    put('proc/net/dev', TITLES + Array.from({ length: 17 }, (_, index) => line(index)).join(''));
    expect(entriesOf('machine_network')).toHaveLength(16);
  });

  test('counts what its disks read and wrote, not partitions, loops and memory', () => {
    for (const disk of ['mmcblk0', 'loop0', 'zram0']) put(`sys/block/${disk}/size`, '1');
    put(
      'proc/diskstats',
      ` 179 0 mmcblk0 10 1 20 5 30 2 40 6 0 7 8
 179 1 mmcblk0p1 10 1 20 5 30 2 40 6 0 7 8
   7 0 loop0 1 1 1 1 1 1 1 1 1 1 1
 252 0 zram0 1 1 1 1 1 1 1 1 1 1 1
`,
    );
    expect(entriesOf('machine_disk')).toEqual([
      { ...base, device: 'mmcblk0', read_bytes: 20 * 512, written_bytes: 40 * 512 },
    ]);
  });

  test('says how warm its zones are, each under a name of its own', () => {
    put('sys/class/thermal/thermal_zone0/temp', '48312\n');
    put('sys/class/thermal/thermal_zone0/type', 'cpu-thermal\n');
    put('sys/class/thermal/thermal_zone1/temp', '-2000\n');
    put('sys/class/thermal/thermal_zone1/type', 'cpu-thermal\n');
    put('sys/class/thermal/thermal_zone2/temp', 'asleep\n');
    put('sys/class/thermal/thermal_zone2/type', 'wifi\n');
    put('sys/class/thermal/cooling_device0/type', 'fan\n');
    expect(entriesOf('machine_temperature')).toEqual([
      { ...base, sensor: 'cpu-thermal', celsius: 48.312 },
      { ...base, sensor: 'cpu-thermal-1', celsius: -2 },
    ]);
  });

  test('asks its hardware monitors where it has no zones', () => {
    put('sys/class/hwmon/hwmon0/name', 'k10temp\n');
    put('sys/class/hwmon/hwmon0/temp1_input', '61000\n');
    expect(entriesOf('machine_temperature')).toMatchObject([{ sensor: 'k10temp', celsius: 61 }]);
  });

  test('knows its memory', () => {
    put('proc/meminfo', 'MemTotal:  1000 kB\nMemFree: 1 kB\nMemAvailable:   400 kB\n');
    const bytes = { total_bytes: 1_024_000, available_bytes: 409_600 };
    expect(entriesOf('machine_memory')).toEqual([{ ...base, ...bytes }]);
  });

  test('says once what it lacks, and gives the rest', () => {
    const missing: string[] = [];
    const sensors = machine(missing);
    const found = () => sensors.read().filter((reading) => reading.entries.length > 0);
    expect(found().map((reading) => reading.pact)).toEqual(['machine_load', 'machine_memory']);
    const said = missing.length;
    expect(missing).toContain('machine_temperature');
    expect(missing).toContain('machine_network');
    expect(missing).toContain('machine_disk');
    found();
    expect(missing).toHaveLength(said);
  });

  test('that runs this test fills the Pacts of its sensors', () => {
    const hash = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest();
    const reader = createPactReader({ hash });
    const sensors = new MachineSensors({ host: hostname(), wallMs: Date.now, missing: () => {} });
    const readings = sensors.read();
    expect(readings.some((reading) => reading.entries.length > 0)).toBe(true);
    for (const { pact, entries } of readings) {
      const file = readFileSync(`examples/pacts/${pact}.json`, 'utf8');
      const codec = reader.codecOf(reader.readFile(file, () => undefined));
      for (const entry of entries) expect(codec.encode(entry)).toMatchObject({ ok: true });
    }
  });
});

describe('a feed', () => {
  const reading = { pact: 'machine_load', entries: [{ load: 1 }] } as const;

  function feedOf(readings: readonly (typeof reading)[], face = new SampleFace()) {
    const lines: string[] = [];
    const wakes: (() => void)[] = [];
    const write = (line: string) => void lines.push(line);
    const log = openLogger({
      level: 'info',
      format: 'json',
      lineBytesMax: 999,
      wallMs: () => 0,
      write,
    });
    const timers = {
      monotonicMs: () => 0,
      wallMs: () => 0,
      after: (_delayMs: number, wake: () => void) => {
        wakes.push(wake);
        return () => void wakes.splice(wakes.indexOf(wake), 1);
      },
    };
    const sensors = { read: () => [...readings] };
    return {
      feed: new SensorFeed({ face, log, timers, intervalMs: 10, sensors }),
      face,
      lines,
      wakes,
    };
  }

  test('pushes each time its interval is over, until it is stopped', () => {
    const { feed, face, wakes } = feedOf([reading]);
    const channel = face.open('machine_load');
    feed.start();
    for (let turn = 0; turn < 3; turn++) wakes.shift()!();
    expect(channel.final).toEqual([{ load: 1 }, { load: 1 }, { load: 1 }]);
    feed.stop();
    expect(wakes).toEqual([]);
  });

  test('waits for a group of the Pact, and says so once', () => {
    const { feed, face, lines } = feedOf([reading]);
    feed.push();
    feed.push();
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('machine_load');
    const channel = face.open('machine_load');
    feed.push();
    expect(channel.final).toHaveLength(1);
  });

  test('loses a reading where the Entry Buffer is full, and says so once', () => {
    const { feed, face, lines } = feedOf([reading]);
    const channel = face.open('machine_load');
    channel.room = 0;
    feed.push();
    feed.push();
    expect(lines).toHaveLength(1);
    channel.room = 9;
    feed.push();
    expect(channel.final).toHaveLength(1);
  });

  test('goes on after a reading that its Pact refuses', () => {
    const bad = { pact: 'machine_load', entries: [{ load: 'high' }, { load: 2 }] };
    const { feed, face, lines } = feedOf([bad as never]);
    const channel = face.open('machine_load');
    feed.push();
    expect(lines).toHaveLength(1);
    expect(channel.final).toEqual([{ load: 2 }]);
  });
});
