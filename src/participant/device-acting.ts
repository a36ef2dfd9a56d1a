import { DeviceError, type DeviceSet, type DeviceValue } from '../ports/devices.ts';

const PULSE_MS_MAX = 60_000;
const WRITE_BYTES_MAX = 4096;

export interface DeviceCall {
  readonly name: string;
  readonly verb: string;
  readonly args: readonly unknown[];
}

/** A call whose words come from elsewhere: each is checked. @throws DeviceError */
export async function actOn(devices: DeviceSet, call: DeviceCall): Promise<DeviceValue> {
  const { name, verb, args } = call;
  const [first, second] = args;
  switch (verb) {
    case 'get':
      return devices.get(name);
    case 'set':
      devices.set(name, levelOf(call, first));
      return devices.get(name);
    case 'pulse':
      return devices.pulse(name, levelOf(call, first), numberOf(call, second));
    case 'pwm':
      devices.pwm(name, numberOf(call, first));
      return devices.get(name);
    case 'drive':
      devices.drive(name, numberOf(call, first), numberOf(call, second));
      return devices.get(name);
    case 'stop':
      devices.stop(name);
      return devices.get(name);
    case 'write':
      if (!(first instanceof Uint8Array)) throw refused(call, 'takes bytes');
      devices.write(name, first);
      return null;
    default:
      throw new DeviceError('DEVICE_VERB', `There is no verb ${verb.slice(0, 40)} of devices.`);
  }
}

function levelOf(call: DeviceCall, value: unknown): boolean {
  if (value === true || value === 1) return true;
  if (value === false || value === 0) return false;
  throw refused(call, 'takes a level: true, false, 1 or 0');
}

function numberOf(call: DeviceCall, value: unknown): number {
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  throw refused(call, 'takes a number');
}

function refused({ name, verb }: DeviceCall, what: string): DeviceError {
  return new DeviceError('DEVICE_VALUE', `${verb} of ${name} ${what}.`);
}

/** @param least 0 for a duty, -1 for a speed. @throws DeviceError */
export function checkShare(name: string, value: number, least: 0 | -1): void {
  if (value >= least && value <= 1) return;
  throw new DeviceError('DEVICE_VALUE', `${name} takes ${least} to 1, not ${value}.`);
}

/** @throws DeviceError */
export function checkMs(name: string, ms: number): void {
  if (Number.isInteger(ms) && ms >= 1 && ms <= PULSE_MS_MAX) return;
  const message = `A pulse of ${name} takes 1 to ${PULSE_MS_MAX} whole milliseconds, not ${ms}.`;
  throw new DeviceError('DEVICE_VALUE', message);
}

/** @throws DeviceError */
export function checkBytes(name: string, bytes: Uint8Array): void {
  if (bytes.length <= WRITE_BYTES_MAX) return;
  const message = `${name} takes at most ${WRITE_BYTES_MAX} bytes at once, not ${bytes.length}.`;
  throw new DeviceError('DEVICE_VALUE', message);
}
