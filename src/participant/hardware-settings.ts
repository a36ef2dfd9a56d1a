import type { Setting } from './setting.ts';

/** Settings of pins and devices; the devices themselves: device-settings.ts. */
export const HARDWARE = {
  board: {
    type: 'string',
    default: 'auto',
    maxLength: 40,
    pattern: '^[a-z0-9-]+$',
    description: 'Which board this is: auto, an id of boards/, or virtual (pins in memory only).',
  },
} as const satisfies Record<string, Setting>;
