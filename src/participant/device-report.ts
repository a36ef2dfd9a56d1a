import { accessSync, constants, existsSync } from 'node:fs';
import { join } from 'node:path';
import { chooseProfile } from '../hardware/board-profiles.ts';
import { HostReservations } from '../hardware/host-reservations.ts';
import { resolvePin } from '../hardware/pin-names.ts';
import { BoardError } from '../ports/board.ts';
import type { BoardProfile } from '../ports/board-profile.ts';
import { safeOf } from './device-entry.ts';
import type { Device } from './device-settings.ts';
import { keyOfSerial } from './open-device.ts';

export interface DeviceReport {
  readonly name: string;
  readonly kind: Device['kind'];
  /** `GPIO17 (J8:11)` or `/dev/ttyAMA0`. */
  readonly where: string;
  readonly safe: string | null;
  readonly labels: readonly string[];
  readonly state: 'free' | 'held' | 'problem';
  /** Who holds it, or what is wrong and what to do. */
  readonly detail: string | null;
}

type Standing = Pick<DeviceReport, 'where' | 'state' | 'detail'>;

/** What is declared, where it is, and who has it. Opens and changes nothing. */
export async function reportDevices(
  devices: readonly Device[],
  board: string,
  root = '/',
): Promise<DeviceReport[]> {
  const reports: DeviceReport[] = [];
  for (const device of devices) {
    const { name, kind, labels } = device;
    const safe = safeOf(device);
    const standing =
      kind === 'gpio' || kind === 'pwm'
        ? await standingOfPin(device.pin, board, root)
        : await standingOfPath(device.path, root);
    reports.push({ name, kind, labels, safe, ...standing });
  }
  return reports;
}

async function standingOfPin(pin: string, board: string, root: string): Promise<Standing> {
  let profile: BoardProfile;
  try {
    profile = chooseProfile(board, root);
    const { name, place } = resolvePin(profile, pin);
    const holder = await new HostReservations().holder(`${profile.gpio.chip} ${name}`);
    return { where: `${name} (${place})`, state: holder ? 'held' : 'free', detail: holder };
  } catch (cause) {
    if (!(cause instanceof BoardError)) throw cause;
    return { where: pin, state: 'problem', detail: cause.message };
  }
}

async function standingOfPath(path: string, root: string): Promise<Standing> {
  const file = join(root, path);
  if (!existsSync(file)) {
    const detail = `There is no ${path}. Plug it in, or enable the UART (docs/hardware.md).`;
    return { where: path, state: 'problem', detail };
  }
  try {
    accessSync(file, constants.R_OK | constants.W_OK);
    const holder = await new HostReservations().holder(keyOfSerial(path));
    return { where: path, state: holder ? 'held' : 'free', detail: holder };
  } catch {
    const mend = 'sudo usermod -aG dialout "$USER", then log in again.';
    return { where: path, state: 'problem', detail: `${path} is not for this user. ${mend}` };
  }
}
