import type { Agent } from './agent.ts';
import type { Config } from './config.ts';
import { loadDevices } from './device-settings.ts';
import { Devices } from './devices.ts';
import type { Home } from './home.ts';
import type { Logger } from './log.ts';
import { QuorumWatch } from './quorum-watch.ts';
import { SystemClock } from './system-clock.ts';

/** What hangs on the machine of an agent, and what holds it back where nobody can decide. */
export interface Outfit {
  readonly devices: Devices;
  watch(agent: Agent): void;
  stop(): void;
}

/** Opens the devices that the home declares. @throws ConfigError */
export async function openOutfit(options: {
  readonly home: Home;
  readonly config: Config;
  readonly log: Logger;
}): Promise<Outfit> {
  const { home, config, log } = options;
  const declared = loadDevices(home.configFile);
  const timers = new SystemClock();
  const devices = await Devices.open({ devices: declared, board: config.board, timers, log });
  let watch: QuorumWatch | null = null;
  return {
    devices,
    watch: (agent) => {
      watch = new QuorumWatch({
        ...{ declared, devices, timers, log },
        look: () => {
          const { groups, peers, avatar: self, halted } = agent.status();
          return { groups, peers, self, halted };
        },
      });
      watch.start();
    },
    stop: () => watch?.stop(),
  };
}
