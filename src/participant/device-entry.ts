import { DeviceError, type DeviceStatus, type DeviceValue } from '../ports/devices.ts';
import type { Device } from './device-settings.ts';
import type { HeldDevice } from './held-device.ts';

/** One declared device, as it stands. */
export interface DeviceEntry {
  readonly device: Device;
  where: string;
  held: HeldDevice | null;
  /** Why it is not held; null while it is. */
  fault: { readonly code: string; readonly message: string } | null;
  /** Why it is held back in its safe state; null while it may be used. */
  withheld: string | null;
  reopen: (() => void) | null;
}

/** What is to be said of it. */
export function statusOf({ device, where, held, fault, withheld }: DeviceEntry): DeviceStatus {
  const { name, kind, labels } = device;
  const state = held === null ? 'failed' : withheld === null ? 'ready' : 'withheld';
  const holder = held === null ? holderIn(fault?.message) : 'this agent';
  const value = held === null ? null : shownValue(held);
  const detail = fault?.message ?? withheld;
  return { name, kind, where, state, holder, safe: safeOf(device), labels, value, detail };
}

/** What it does when nobody is there to say; null: it drives nothing. */
export function safeOf(device: Device): string | null {
  if (device.kind === 'drivetrain') return `stop after ${device.deadManMs} ms`;
  if (device.kind === 'serial') return null;
  return device.kind === 'gpio' && device.direction === 'in' ? null : device.safe;
}

/** What criteria may ask for. */
export function kindsOf(device: Device): string[] {
  switch (device.kind) {
    case 'gpio':
      return ['gpio', `gpio:${device.direction}`];
    case 'pwm':
      return ['pwm'];
    case 'serial':
      return ['serial', 'serial:rs232'];
    case 'drivetrain':
      return ['drivetrain', 'drivetrain:diff'];
    default:
      return device satisfies never;
  }
}

function holderIn(message: string | undefined): string | null {
  return / is held by (.+?)[;.]/.exec(message ?? '')?.[1] ?? null;
}

function shownValue(held: HeldDevice): DeviceValue {
  try {
    return held.get();
  } catch {
    // Whoever acts on it hears why; a report has nothing to show.
    return null;
  }
}

/** What the world says of a device becomes one kind of error, with its words. */
export function told<Result>(name: string, act: () => Result): Result {
  try {
    return act();
  } catch (cause) {
    if (cause instanceof DeviceError || !(cause instanceof Error)) throw cause;
    throw new DeviceError('DEVICE_FAILED', `${name}: ${cause.message}`, { cause });
  }
}
