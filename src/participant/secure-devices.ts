import type { Timers } from '../ports/clock.ts';
import type { DeviceStatus } from '../ports/devices.ts';
import { safeOf } from './device-entry.ts';
import type { Device } from './device-settings.ts';
import { Devices } from './devices.ts';
import type { LogFields, Logger } from './log.ts';

export type SecuredDevice = Pick<DeviceStatus, 'name' | 'where' | 'safe' | 'detail'> & {
  readonly isSafe: boolean;
};

/**
 * Sets all that is driven to its safe state and lets go of it: what an agent does at its start and
 * at its end, for a machine on which none runs.
 */
export async function secureDevices(options: {
  readonly devices: readonly Device[];
  readonly board: string;
  readonly timers: Timers;
}): Promise<SecuredDevice[]> {
  const driven = options.devices.filter((device) => safeOf(device) !== null);
  const faults: string[] = [];
  const log = listeningFor((fields) => faults.push(String(fields['reason'])));
  const held = await Devices.open({ ...options, devices: driven, log });
  const standing = held.list();
  faults.splice(0);
  await held.close();
  const [fault = null] = faults;
  return standing.map(({ name, where, safe, state, detail }) => {
    const isSafe = state !== 'failed' && fault === null;
    return { name, where, safe, isSafe, detail: detail ?? fault };
  });
}

/** Tells errors alone: the outcome of each device is what counts. */
function listeningFor(onError: (fields: LogFields) => void): Logger {
  const silent = (): void => undefined;
  const log: Logger = {
    error: (_message, fields = {}) => onError(fields),
    ...{ warn: silent, info: silent, debug: silent },
    with: () => log,
  };
  return log;
}
