// The demo's sensor Entries, second after second, as one small machine would read them: the Pacts
// of examples/pacts, values that drift as those of a real machine do, from one seed.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const HOST = 'greenhouse-3';
const STARTED_MS = 1_790_000_000_000;
const MEMORY_BYTES = 4_067_000_320;
const PAGE_BYTES = 4_096;
/** Load averages come in steps of the kernel's fixed point. */
const LOAD_STEPS = 65_536;

export const MACHINE_PACTS = [
  'machine_load',
  'machine_memory',
  'machine_temperature',
  'machine_network',
  'machine_disk',
];

/** A Pact file's text. */
export function machinePact(name) {
  return readFileSync(
    fileURLToPath(new URL(`../examples/pacts/${name}.json`, import.meta.url)),
    'utf8',
  );
}

/** @returns 0 or above and below 1, the same each time: a linear congruential generator. */
function chance(seed) {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Yields, for each second, an Entry of each Pact. */
export function* machineReadings(seed = 1) {
  const next = chance(seed);
  const drift = (value, step, [least, most]) =>
    Math.min(most, Math.max(least, value + Math.round((next() - 0.5) * 2 * step)));
  const loads = [30_000, 26_000, 22_000];
  let pages = 700_000;
  let milliCelsius = 48_000;
  const network = { received_bytes: 81_234_567, sent_bytes: 9_876_543 };
  const disk = { read_bytes: 512 * 1_234_567, written_bytes: 512 * 765_432 };
  for (let second = 0; ; second++) {
    const base = { host: HOST, observed_at: STARTED_MS + second * 1_000 + Math.floor(next() * 4) };
    // The kernel counts them anew every five seconds.
    if (second % 5 === 0) {
      loads.forEach((load, index) => {
        loads[index] = drift(load, 6_000 / 3 ** index, [0, 4 * LOAD_STEPS]);
      });
    }
    pages = drift(pages, 500, [100_000, 900_000]);
    // A Raspberry Pi measures in steps of 0.487 degrees.
    if (next() < 0.3)
      milliCelsius = drift(milliCelsius, 1, [40_000, 70_000]) + (next() < 0.5 ? -487 : 487);
    network.received_bytes += Math.floor(next() * 20_000);
    network.sent_bytes += Math.floor(next() * 5_000);
    if (next() < 0.4) disk.written_bytes += PAGE_BYTES * Math.ceil(next() * 40);
    const [load1, load5, load15] = loads.map((load) => load / LOAD_STEPS);
    yield {
      machine_load: { ...base, load1, load5, load15, cores: 4 },
      machine_memory: { ...base, total_bytes: MEMORY_BYTES, available_bytes: pages * PAGE_BYTES },
      machine_temperature: { ...base, sensor: 'cpu-thermal', celsius: milliCelsius / 1_000 },
      machine_network: { ...base, interface: 'eth0', ...network },
      machine_disk: { ...base, device: 'mmcblk0', ...disk },
    };
  }
}
