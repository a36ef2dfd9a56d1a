import type { DeviceSet } from '../ports/devices.ts';
import type { Sandbox } from '../ports/sandbox.ts';
import type { Core } from './core.ts';
import type { Directory } from './directory.ts';
import type { Issuing } from './issuing.ts';
import type { Loop } from './loop.ts';
import type { Requests } from './requests.ts';
import { SagaDeploying } from './saga-deploying.ts';
import type { SagaFace } from './saga-face.ts';
import { SagaHistory } from './saga-history.ts';
import { SagaReports } from './saga-reports.ts';
import { Sagas } from './sagas.ts';
import type { Memory } from './turn.ts';

export interface SagaRoom {
  readonly core: Core;
  readonly memory: Memory;
  readonly issuing: Issuing;
  readonly loop: Loop;
  readonly requests: Requests;
  readonly devices: DeviceSet;
  readonly directory: Directory;
  readonly sandbox: Sandbox | null;
  /** Is nothing pushed any more? */
  readonly isStopped: () => boolean;
}

/** Puts together what Sagas need of a Participant. */
export function openSagas(room: SagaRoom): { readonly runtime: Sagas; readonly face: SagaFace } {
  const { core, memory, requests, sandbox, directory } = room;
  const runtime = new Sagas({
    ...room,
    announce: (capabilities) =>
      requests.deploy(core.builtIn.capability, { capabilities, at: core.timers.wallMs() }),
  });
  const { registry } = runtime;
  const deploying = new SagaDeploying({ core, memory, registry, sandbox, requests });
  const history = new SagaHistory(core, memory);
  const nameOf = (avatar: Parameters<Directory['nameOf']>[0]) =>
    directory.nameOf(avatar) ?? avatar.slice(0, 12);
  return { runtime, face: new SagaReports({ sagas: runtime, deploying, history, nameOf }) };
}
