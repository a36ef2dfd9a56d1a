import { Errors } from 'typebox/schema';
import { ConfigError, nearestOf, permitted, readTable } from './config-file.ts';
import { integer, plainText, type Setting } from './setting.ts';

/** The section of `vertebra.toml` that says what is connected to this machine. */
export const DEVICES_KEY = 'devices';

const DEVICES_MAX = 64;
const LABELS_MAX = 16;
const NAME = /^[a-z0-9][a-z0-9_-]{0,31}$/;
const LABEL = /^[a-z0-9_-]{1,32}=[A-Za-z0-9._:/-]{1,64}$/;

interface DeviceBase {
  readonly name: string;
  /** `site=greenhouse-3`: what criteria may ask for. */
  readonly labels: readonly string[];
}

/** What a device that moves something does when its Sync Group can decide nothing any more. */
interface QuorumRule {
  readonly onQuorumLoss: 'keep' | 'safe';
  /** A Pact's name or the beginning of a group's id; `any`: each that this Participant owns. */
  readonly quorumGroup: string;
  readonly quorumLossMs: number;
}

export interface GpioDevice extends DeviceBase, QuorumRule {
  readonly kind: 'gpio';
  readonly pin: string;
  readonly direction: 'in' | 'out';
  /** Of an output: what it does at start, at the end, and when nobody is there to say. */
  readonly safe: 'low' | 'high' | 'input';
  readonly bias: 'none' | 'up' | 'down';
  readonly debounceMs: number;
}

export interface PwmDevice extends DeviceBase, QuorumRule {
  readonly kind: 'pwm';
  readonly pin: string;
  readonly safe: 'low' | 'high';
  readonly frequencyHz: number;
}

export interface SerialDevice extends DeviceBase {
  readonly kind: 'serial';
  readonly path: string;
  readonly baud: number;
}

export interface DrivetrainDevice extends DeviceBase, QuorumRule {
  readonly kind: 'drivetrain';
  readonly path: string;
  readonly baud: number;
  readonly controller: 'sabertooth' | 'roboclaw';
  readonly address: number;
  readonly speedMaxPercent: number;
  readonly accelerationMaxPercent: number;
  readonly deadManMs: number;
}

export type Device = GpioDevice | PwmDevice | SerialDevice | DrivetrainDevice;
export type DeviceKind = Device['kind'];

const choice = (standard: string, values: readonly string[], description: string): Setting => ({
  type: 'string',
  default: standard,
  enum: values,
  description,
});

const PIN = plainText(32, 'GPIO17, or a place on the header: J8:11.');
const PATH = plainText(255, 'For instance /dev/ttyAMA0, or better /dev/serial/by-id/...');
const BAUD = integer([1200, 9600, 4_000_000], 'Bits a second.');

const QUORUM_RULE = {
  onQuorumLoss: choice('keep', ['keep', 'safe'], 'What it does while its group has no Quorum.'),
  quorumGroup: { ...plainText(64, 'Which: a Pact, the beginning of a group id.'), default: 'any' },
  quorumLossMs: integer([1000, 10_000, 86_400_000], 'No Quorum for so long is a loss.'),
} as const;

/** An empty text as default means that it must be said. */
const FIELDS = {
  gpio: {
    pin: PIN,
    direction: choice('in', ['in', 'out'], 'Read it, or drive it.'),
    safe: choice('low', ['low', 'high', 'input'], 'What an output does when nobody says.'),
    bias: choice('none', ['none', 'up', 'down'], 'Pull resistor of an input.'),
    debounceMs: integer([0, 0, 60_000], 'A level of an input counts once it lasted so long.'),
    ...QUORUM_RULE,
  },
  pwm: {
    pin: PIN,
    safe: choice('low', ['low', 'high'], 'What it does when nobody says.'),
    frequencyHz: integer([1, 1000, 1_000_000], 'Pulses a second.'),
    ...QUORUM_RULE,
  },
  serial: { path: PATH, baud: BAUD },
  drivetrain: {
    path: PATH,
    baud: BAUD,
    controller: choice('', ['sabertooth', 'roboclaw'], 'What the motors hang on.'),
    address: integer([128, 128, 135], 'Of the controller.'),
    speedMaxPercent: integer([1, 100, 100], 'Never faster than this share of the full speed.'),
    accelerationMaxPercent: integer([1, 100, 100_000], 'Change of speed in a second, likewise.'),
    deadManMs: integer([100, 500, 10_000], 'The motors stop when nobody renews a command.'),
    ...QUORUM_RULE,
  },
} as const satisfies Record<DeviceKind, Record<string, Setting>>;

const KINDS = Object.keys(FIELDS) as DeviceKind[];

/**
 * Reads the devices of `vertebra.toml`; a file that does not exist has none.
 *
 * @throws ConfigError that names the device, the key and what is permitted.
 */
export function loadDevices(file: string): Device[] {
  const listed = readTable(file)[DEVICES_KEY] ?? [];
  if (!Array.isArray(listed) || listed.length > DEVICES_MAX) {
    throw refused(`${file}: devices are at most ${DEVICES_MAX} sections named [[devices]].`);
  }
  const devices = listed.map((value, index) => readDevice(`${file}: device ${index + 1}`, value));
  const names = new Map<string, number>();
  for (const [index, { name }] of devices.entries()) {
    const before = names.get(name);
    if (before !== undefined) {
      throw refused(`${file}: devices ${before} and ${index + 1} are both called ${name}.`);
    }
    names.set(name, index + 1);
  }
  return devices;
}

function readDevice(where: string, value: unknown): Device {
  if (typeof value !== 'object' || value === null) throw refused(`${where} is no section.`);
  const { name, kind, labels = [], ...rest } = value as Readonly<Record<string, unknown>>;
  if (typeof name !== 'string' || !NAME.test(name)) {
    throw refused(`${where} needs a name: at most 32 of a-z, 0-9, - and _, a letter first.`);
  }
  const called = `${where} (${name})`;
  const known = KINDS.find((each) => each === kind);
  if (known === undefined) throw refused(`${called} needs a kind: ${KINDS.join(', ')}.`);
  if (!isLabels(labels)) {
    throw refused(`${called}: labels are at most ${LABELS_MAX} texts such as "site=greenhouse-3".`);
  }
  const fields = readFields(called, FIELDS[known], rest);
  // Checked above, field by field, against what its kind has.
  const device: object = { name, kind: known, labels, ...fields };
  return device as Device;
}

function isLabels(labels: unknown): labels is string[] {
  if (!Array.isArray(labels) || labels.length > LABELS_MAX) return false;
  return labels.every((each) => typeof each === 'string' && LABEL.test(each));
}

function readFields(
  called: string,
  fields: Readonly<Record<string, Setting>>,
  given: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const keys = new Map(Object.keys(fields).map((name) => [keyOfField(name), name]));
  for (const key of Object.keys(given)) {
    if (keys.has(key)) continue;
    const nearest = nearestOf(key, [...keys.keys()]);
    const hint = `Did you mean ${nearest}? Settings of the agent go above all [[devices]].`;
    throw refused(`${called}: there is no setting ${key} of a device of its kind. ${hint}`);
  }
  const values: Record<string, unknown> = {};
  for (const [key, name] of keys) {
    const setting = fields[name]!;
    const value = given[key] ?? setting.default;
    const [holds] = Errors(setting, value);
    if (!holds || value === '') {
      const said = key in given ? `is ${JSON.stringify(value)}` : 'is missing';
      throw refused(`${called}: ${key} ${said}; permitted: ${permitted(setting)}.`);
    }
    values[name] = value;
  }
  return values;
}

function keyOfField(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function refused(message: string): ConfigError {
  return new ConfigError('CONFIG_NOT_PERMITTED', message);
}
