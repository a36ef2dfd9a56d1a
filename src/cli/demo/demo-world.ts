import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Comparison, compareWorlds } from '../../participant/comparison.ts';
import type { StatusReport } from '../../participant/face.ts';
import { createWorld, joinWorld } from '../../participant/membership.ts';
import { CliError, EXIT } from '../exit-code.ts';
import { DemoNetwork } from './demo-network.ts';
import { DemoParticipant, sleep } from './demo-participant.ts';

export const DEMO_WORLD = 'demo';
const NAMES = ['ada', 'bert', 'cleo'] as const;
const PACTS_FOLDER = fileURLToPath(new URL('../../../examples/pacts/', import.meta.url));

/** Pacts whose Entries the sensors of every machine can fill. */
export const SENSOR_PACTS = [
  'machine_load',
  'machine_memory',
  'machine_temperature',
  'machine_network',
  'machine_disk',
] as const;

const SETTLE_MS = 15_000;
const POLL_MS = 100;

/** Three Participants that form one World over links of several kinds. */
export class DemoWorld {
  readonly folder: string;
  readonly participants: readonly DemoParticipant[];
  readonly network: DemoNetwork;

  private constructor(
    folder: string,
    participants: readonly DemoParticipant[],
    network: DemoNetwork,
  ) {
    this.folder = folder;
    this.participants = participants;
    this.network = network;
  }

  /** Makes three homes below `folder` and one World. Nothing runs yet. */
  static async make(folder: string, sensorsMs: number): Promise<DemoWorld> {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    if (readdirSync(folder).length > 0) {
      const message = `${folder} is not empty. Name a new folder with --keep, or empty this one.`;
      throw new CliError(EXIT.conflict, 'demo-folder', message);
    }
    const network = await DemoNetwork.open(await freePorts());
    const participants = NAMES.map((name, index) => {
      const ends = network.ends[index]!;
      return new DemoParticipant({ name, folder, world: DEMO_WORLD, ...ends, sensorsMs });
    });
    const secret = join(folder, 'world.secret');
    participants.forEach((each, index) => {
      each.makeHome();
      if (index === 0) createWorld(each.home, DEMO_WORLD, secret);
      else joinWorld(each.home, DEMO_WORLD, secret);
    });
    return new DemoWorld(folder, participants, network);
  }

  /** Starts all three, deploys the Pacts and a Sync Group of all three for each. */
  async start(): Promise<void> {
    for (const each of this.participants) each.start();
    await Promise.all(this.participants.map((each) => each.ready()));
    await this.until('all are linked', (statuses) =>
      statuses.every(
        (status) =>
          status.peers.filter((peer) => peer.state === 'connected').length ===
          this.participants.length - 1,
      ),
    );
    const [first] = this.participants;
    const owners = this.participants.map((each) => each.place.name);
    for (const name of SENSOR_PACTS) {
      await first!.client.addPact(readFileSync(join(PACTS_FOLDER, `${name}.json`), 'utf8'));
      await first!.client.addGroup(name, owners);
    }
  }

  async statuses(): Promise<(StatusReport | null)[]> {
    return Promise.all(this.participants.map((each) => each.status()));
  }

  /**
   * Ends it so that what was agreed can be compared: nobody takes Entries any more, what was taken
   * becomes final, all three reach the same place, and end.
   */
  async end(): Promise<Comparison> {
    await this.network.heal();
    for (const each of this.participants) if (!each.isUp) each.start();
    await Promise.all(this.participants.map((each) => each.ready()));
    await Promise.all(this.participants.map((each) => each.client.drain(SETTLE_MS)));
    await this.settle();
    await this.stop();
    return this.compare();
  }

  /** Waits until all stand at the same place. Where they never do, the comparison will say so. */
  private async settle(): Promise<void> {
    for (let waitedMs = 0; waitedMs < SETTLE_MS; waitedMs += POLL_MS) {
      const up = (await this.statuses()).filter((each) => each !== null);
      if (up.length === this.participants.length && haveSettled(up)) return;
      await sleep(POLL_MS);
    }
  }

  async stop(): Promise<void> {
    await Promise.all(this.participants.map((each) => each.stop()));
    await this.network.close();
  }

  compare(): Comparison {
    return compareWorlds(this.participants.map((each) => each.world.databaseFile));
  }

  private async until(
    what: string,
    holds: (statuses: readonly StatusReport[]) => boolean,
  ): Promise<void> {
    for (let waitedMs = 0; waitedMs < SETTLE_MS; waitedMs += POLL_MS) {
      const statuses = await this.statuses();
      const up = statuses.filter((each) => each !== null);
      if (up.length === statuses.length && holds(up)) return;
      await sleep(POLL_MS);
    }
    throw new Error(`Waited ${SETTLE_MS / 1000} s in vain until ${what}; logs: ${this.folder}`);
  }
}

function haveSettled(statuses: readonly StatusReport[]): boolean {
  const places = statuses.map((status) =>
    status.groups
      .map((group) => `${group.id} ${group.finalizedLevel} ${group.lastSequence}`)
      .sort()
      .join(),
  );
  const isIdle = statuses.every((status) =>
    status.groups.every((group) => group.pendingBlocks === 0 && group.bufferedEntries === 0),
  );
  return isIdle && new Set(places).size === 1;
}

/** Three ports of loopback that nobody listens on now. */
async function freePorts(): Promise<[number, number, number]> {
  const servers = NAMES.map(() => createServer());
  const ports = await Promise.all(
    servers.map(
      (server) =>
        new Promise<number>((resolve, reject) => {
          server.once('error', reject);
          server.listen(0, '127.0.0.1', () => {
            const address = server.address();
            resolve(typeof address === 'object' && address !== null ? address.port : 0);
          });
        }),
    ),
  );
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  const [first, second, third] = ports;
  return [first!, second!, third!];
}
