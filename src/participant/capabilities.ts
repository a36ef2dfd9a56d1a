import type { DeviceSet } from '../ports/devices.ts';
import type { Core } from './core.ts';

const CAPABILITIES_MAX = 256;

/** Says to the World what this Participant can do: by its devices, and by its operator's word. */
export class Capabilities {
  private readonly core: Core;
  private readonly devices: DeviceSet;
  private readonly announce: (capabilities: readonly string[]) => Promise<void>;
  private said = '';
  private stopListening: (() => void) | null = null;

  constructor(
    core: Core,
    devices: DeviceSet,
    announce: (capabilities: readonly string[]) => Promise<void>,
  ) {
    this.core = core;
    this.devices = devices;
    this.announce = announce;
  }

  /** @param said What it said last, before the start. */
  start(said: readonly string[]): void {
    this.said = said.join('\n');
    this.stopListening = this.devices.onChange(() => this.tell());
    this.tell();
  }

  close(): void {
    this.stopListening?.();
  }

  /** Kinds and labels of what works now, and the name of each as `device=NAME`. */
  list(): string[] {
    const all = new Set(this.core.config.labels);
    for (const { device, kinds, labels } of this.devices.capabilities()) {
      for (const each of [`device=${device}`, ...kinds, ...labels]) all.add(each);
    }
    return [...all].sort().slice(0, CAPABILITIES_MAX);
  }

  private tell(): void {
    const list = this.list();
    const text = list.join('\n');
    if (text === this.said) return;
    this.said = text;
    this.announce(list).catch((cause: unknown) => {
      this.core.log.warn('capabilities-unsaid', { reason: String(cause) });
    });
  }
}
