import { VERSION } from '../model/version.ts';
import type { DeviceSet } from '../ports/devices.ts';
import type { StatusReport } from './face.ts';
import type { WorldHome } from './home.ts';
import type { Logs } from './logs.ts';
import type { Loop } from './loop.ts';
import { type ReportParts, reportGroups } from './report.ts';
import { reportPeers, reportTotals } from './report-peers.ts';
import type { SagaFace } from './saga-face.ts';

export interface StatusParts {
  readonly parts: {
    readonly world: Pick<WorldHome, 'name'>;
    readonly name: string;
    readonly home: string;
    readonly kernelBuild: StatusReport['kernel'];
    readonly devices: Pick<DeviceSet, 'list'>;
  };
  readonly sagas: Pick<SagaFace, 'status'>;
  readonly reports: ReportParts;
  readonly logs: Pick<Logs, 'forks' | 'invalid'>;
  readonly loop: Pick<Loop, 'finalizedEntries' | 'generations' | 'finality' | 'diskTrouble'>;
  readonly startedAtMs: number;
  readonly halted: string | null;
}

/** All that is to be said of a running Participant at once. */
export function reportStatus(status: StatusParts): StatusReport {
  const { parts, reports, logs, loop, startedAtMs, halted } = status;
  const { core, gossip } = reports;
  const mesh = gossip.status();
  return {
    version: VERSION,
    world: parts.world.name,
    avatar: core.self,
    name: parts.name,
    home: parts.home,
    pid: process.pid,
    upMs: core.timers.monotonicMs() - startedAtMs,
    kernel: parts.kernelBuild,
    listening: mesh.listening,
    peers: reportPeers(reports),
    groups: reportGroups(reports),
    finalizedEntries: loop.finalizedEntries,
    generations: loop.generations,
    finalityMs: loop.finality.report(),
    ...reportTotals(mesh),
    halted: halted ?? loop.diskTrouble?.message ?? null,
    forks: logs.forks(),
    invalid: logs.invalid(),
    devices: parts.devices.list(),
    sagas: status.sagas.status(),
  };
}
