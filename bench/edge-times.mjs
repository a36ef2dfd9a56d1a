// How long a local handler takes from an input's edge to its output, through the devices of an
// agent. As a program, in the guest of test/device: on the kernel's chips, as one line of JSON.
import { readdirSync, realpathSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chooseProfile } from '../build/hardware/board-profiles.js';
import { readChips } from '../build/hardware/gpio-chips.js';
import { LineBoard } from '../build/hardware/line-board.js';
import { VirtualDriver } from '../build/hardware/virtual-driver.js';
import { Devices } from '../build/participant/devices.js';
import { openLogger } from '../build/participant/log.js';
import { SystemClock } from '../build/participant/system-clock.js';

const [INPUT, OUTPUT] = [22, 17];
const TURNS = 5;
const timers = new SystemClock();
const log = openLogger({
  ...{ level: 'error', format: 'human', lineBytesMax: 999, wallMs: Date.now },
  write: (line) => process.stderr.write(line),
});
const quorum = { onQuorumLoss: 'keep', quorumGroup: 'any', quorumLossMs: 10_000 };
const gpio = { kind: 'gpio', labels: [], bias: 'none', debounceMs: 0, safe: 'low', ...quorum };
const DECLARED = [
  { ...gpio, name: 'door', pin: `GPIO${INPUT}`, direction: 'in' },
  { ...gpio, name: 'fan', pin: `GPIO${OUTPUT}`, direction: 'out' },
];

/**
 * @param {{ drive: (isHigh: boolean) => void, onEdge: (act: (isHigh: boolean) => void) => void,
 *   set: (isHigh: boolean) => void, count: number }} plan
 * @returns {Promise<number[]>} milliseconds of each edge.
 */
async function timesOf({ drive, onEdge, set, count }) {
  let heard = () => undefined;
  onEdge((isHigh) => {
    set(isHigh);
    heard();
  });
  const times = [];
  for (let edge = 1; edge <= count; edge++) {
    const isSet = new Promise((done) => {
      heard = done;
    });
    const start = performance.now();
    drive(edge % 2 === 1);
    await isSet;
    times.push(performance.now() - start);
  }
  return times;
}

async function throughDevices(open, drive, count) {
  const board = open === undefined ? chipProfile().id : 'virtual';
  const devices = await Devices.open({ devices: DECLARED, board, timers, log, open });
  try {
    drive(false);
    return await timesOf({
      ...{ drive, count },
      onEdge: (act) => devices.onEdge('door', ({ isHigh }) => act(isHigh)),
      set: (isHigh) => devices.set('fan', isHigh),
    });
  } finally {
    await devices.close();
  }
}

/** On the board in memory. */
export function virtualTimes(count) {
  const profile = chooseProfile('virtual');
  const driver = new VirtualDriver(profile);
  const open = async () => new LineBoard({ profile, driver, timers, reservations: null });
  return throughDevices(open, (isHigh) => driver.drive(INPUT, isHigh), count);
}

function chipProfile() {
  const labels = readChips().map(({ label }) => label);
  return chooseProfile(labels.includes('pinctrl-rp1') ? 'rpi-5' : 'rpi-4b');
}

/** The first line of the header's chip in sysfs, and where its simulator is moved from outside. */
function simulated() {
  const { base } = readChips().find(({ label }) => label === chipProfile().gpio.chip);
  const folder = join(realpathSync(`/sys/class/gpio/gpiochip${base}`), '../..');
  const chip = readdirSync(folder).find((name) => /^gpiochip\d+$/.test(name));
  return { base, pull: join(folder, chip, `sim_gpio${INPUT}/pull`) };
}

/** The package onoff alone, as its manual has it. */
async function onoffTimes({ base }, drive, count) {
  const { Gpio } = createRequire(import.meta.url)('onoff');
  const door = new Gpio(base + INPUT, 'in', 'both');
  const fan = new Gpio(base + OUTPUT, 'out');
  try {
    return await timesOf({
      ...{ drive, count },
      onEdge: (act) => door.watch((_error, value) => act(value === 1)),
      set: (isHigh) => fan.writeSync(isHigh ? 1 : 0),
    });
  } finally {
    door.unexport();
    fan.unexport();
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const count = Number(process.argv[2]);
  const chip = simulated();
  const drive = (isHigh) => writeFileSync(chip.pull, isHigh ? 'pull-up' : 'pull-down');
  const [ours, onoff] = [[], []];
  // By turns, so that a busy while is hard on both; the first turn warms them up.
  for (let turn = 0; turn <= TURNS; turn++) {
    const ownTimes = await throughDevices(undefined, drive, count / TURNS);
    drive(false);
    const peerTimes = await onoffTimes(chip, drive, count / TURNS);
    if (turn === 0) continue;
    ours.push(...ownTimes);
    onoff.push(...peerTimes);
  }
  console.log(`@@TIMES ${JSON.stringify({ ours, onoff })}`);
}
