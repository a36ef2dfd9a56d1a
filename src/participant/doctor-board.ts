import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { detectProfile, loadProfiles, readDeviceTree } from '../hardware/board-profiles.ts';
import { findChipDevice } from '../hardware/cdev-chips.ts';
import { readChips } from '../hardware/gpio-chips.ts';
import { loadGpioControl } from '../hardware/gpio-control.ts';
import { BoardError } from '../ports/board.ts';
import type { BoardProfile } from '../ports/board-profile.ts';
import { loadConfig } from './config-file.ts';
import { reportDevices } from './device-report.ts';
import { loadDevices } from './device-settings.ts';

/** As `Finding` of the doctor, who asks. */
interface BoardFinding {
  readonly check: string;
  readonly state: 'ok' | 'note' | 'problem';
  readonly found: string;
  readonly mend: string | null;
}

interface BoardOptions {
  readonly configFile: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Where `/proc`, `/sys` and `/dev` are; tests bring their own. */
  readonly root?: string;
}

const GPIO_GROUP = 'sudo usermod -aG gpio "$USER", then log in again.';
const INSTALL = 'Nothing to do unless it is to be used: npm install';

/**
 * Looks at the board, its pins and what is declared to hang on them. A machine without pins has no
 * problem unless devices are declared that need them.
 */
export async function checkBoard(options: BoardOptions): Promise<BoardFinding[]> {
  const { root = '/' } = options;
  const profiles = loadProfiles();
  const { board: choice } = loadConfig({
    file: options.configFile,
    environment: options.environment,
  });
  const profile =
    choice === 'auto'
      ? detectProfile(readDeviceTree(root), profiles)
      : (profiles.find(({ id }) => id === choice) ?? null);
  const devices = loadDevices(options.configFile);
  const reports = await reportDevices(devices, choice, root);
  return [
    checkProfile(profile, choice, root),
    ...(profile === null || profile.id === 'virtual' ? [] : checkPins(profile, root)),
    checkPackage('onoff', 'GPIO17 and its like'),
    checkPackage('serialport', 'serial devices and drivetrains'),
    ...reports.map((each): BoardFinding => {
      const check = `device ${each.name}`;
      const { state, where, detail } = each;
      if (state === 'problem') return { check, state, found: where, mend: detail };
      return {
        check,
        state: 'ok',
        found: detail ? `${where}, held by ${detail}` : where,
        mend: null,
      };
    }),
  ];
}

function checkProfile(profile: BoardProfile | null, choice: string, root: string): BoardFinding {
  const check = 'board';
  if (profile !== null) return { check, state: 'ok', found: profile.name, mend: null };
  const tree = readDeviceTree(root);
  const found = choice === 'auto' ? (tree?.model ?? 'no device tree') : choice;
  const mend = 'Nothing to do unless pins are to be used: docs/hardware.md, Boards.';
  return { check, state: 'note', found: `${found}: no profile in boards/`, mend };
}

function checkPins(profile: BoardProfile, root: string): BoardFinding[] {
  const device = checkDevice(profile, root);
  const isBest = device.state === 'ok';
  const chips = readChips(root);
  const chip = chips?.find(({ label }) => label === profile.gpio.chip);
  const found = chip ? `${chip.label}, from ${chip.base}` : `no ${profile.gpio.chip} in sysfs`;
  const mend = 'Take a kernel with CONFIG_GPIO_SYSFS, such as that of Raspberry Pi OS.';
  const state = chip || isBest ? 'ok' : 'problem';
  return [
    device,
    { check: 'GPIO', state, found, mend: state === 'ok' ? null : mend },
    ...(chip && !isBest ? [checkPermission(root)] : []),
    checkOutputs(profile, root, isBest),
  ];
}

function checkPermission(root: string): BoardFinding {
  const check = 'GPIO permission';
  try {
    accessSync(join(root, 'sys/class/gpio/export'), constants.W_OK);
    return { check, state: 'ok', found: 'this user may use pins', mend: null };
  } catch {
    return { check, state: 'problem', found: 'this user may not use pins', mend: GPIO_GROUP };
  }
}

/** The character device is the best way to pins; sysfs is the other one. */
function checkDevice({ gpio: { chip } }: BoardProfile, root: string): BoardFinding {
  const check = 'GPIO device';
  try {
    const path = findChipDevice(chip, loadGpioControl().ioctl, root);
    return { check, state: 'ok', found: `${path} (${chip})`, mend: null };
  } catch (cause) {
    if (!(cause instanceof BoardError)) throw cause;
    const found = 'not used: pins go through sysfs';
    return { check, state: 'note', found, mend: cause.message };
  }
}

/** What becomes of outputs when the agent is killed: the question that decides about motors. */
function checkOutputs(profile: BoardProfile, root: string, isDevice: boolean): BoardFinding {
  const check = 'GPIO outputs';
  const { parameter, turnOff } = profile.outputsPersist;
  const file = parameter === null ? null : join(root, parameter);
  const says = file !== null && existsSync(file) ? readFileSync(file, 'utf8').trim() : null;
  const kernel = says === null ? 'the kernel does not say' : `the kernel says ${says}`;
  if (isDevice && says === 'N') {
    const found = `an output becomes an input when the agent is killed (${kernel})`;
    return { check, state: 'ok', found, mend: null };
  }
  const found = `an output keeps its level when the agent is killed (${kernel})`;
  const mend =
    'Whatever must stop needs an enable line with a pull resistor, or a time-out of its own ' +
    `(drivetrains have one). ${turnOff ?? ''} lets the kernel release outputs of the character ` +
    'device, not those of sysfs: docs/hardware.md, Safe states.';
  return { check, state: 'note', found, mend };
}

function checkPackage(name: 'onoff' | 'serialport', use: string): BoardFinding {
  try {
    createRequire(import.meta.url).resolve(name);
    return { check: name, state: 'ok', found: 'installed', mend: null };
  } catch {
    const found = `not installed; it is optional, for ${use}`;
    return { check: name, state: 'note', found, mend: `${INSTALL} ${name}` };
  }
}
