import type { GossipLog, MeshOptions } from '../../src/gossip/contract.ts';
import { BudgetTransport } from '../../src/gossip/links/budget-link.ts';
import { MemoryTransport } from '../../src/gossip/links/memory.ts';
import { Mesh } from '../../src/gossip/mesh.ts';
import type { GossipSettings } from '../../src/gossip/settings.ts';
import { fromHex } from '../../src/model/bytes.ts';
import type { AvatarId } from '../../src/model/sync-group.ts';
import { Cable } from './gossip-cable.ts';
import { Holder } from './gossip-holder.ts';
import { hash, idOf } from './gossip-samples.ts';
import { PlainSessions } from './gossip-sessions.ts';
import { SeededRandom, Stage } from './gossip-stage.ts';

export interface Resident {
  readonly name: string;
  readonly id: AvatarId;
  readonly holder: Holder;
  readonly mesh: Mesh;
  readonly cable: Cable;
  readonly lines: { level: string; event: string; fields: Record<string, unknown> }[];
}

export interface ResidentOptions {
  /** Whose Avatar it has. */
  readonly as?: string;
  readonly world?: number;
  readonly holder?: Holder;
  /** What the URL that it listens at says beside its name. */
  readonly query?: string;
}

/** Participants in one process, linked in memory, with time in the test's hand. */
export class House {
  readonly stage = new Stage();
  readonly network = new MemoryTransport({ defer: this.stage.defer });
  private seed = 1;

  /** Moves one in and has it listen at `memory:name`. */
  async add(
    name: string,
    settings: Partial<GossipSettings> = {},
    more: Partial<MeshOptions> & ResidentOptions = {},
  ): Promise<Resident> {
    const id = idOf(more.as ?? name);
    const holder = more.holder ?? new Holder(id);
    const lines: Resident['lines'] = [];
    const log: GossipLog = (level, event, fields) => lines.push({ level, event, fields });
    this.seed += 1;
    const cable = new Cable(this.network);
    const mesh = new Mesh({
      self: id,
      sessions: new PlainSessions(fromHex(id), more.world),
      transports: [new BudgetTransport(cable, this.stage), ...(more.transports ?? [])],
      timers: this.stage,
      random: new SeededRandom(this.seed),
      hash,
      source: holder,
      handler: holder,
      log,
      settings,
      defer: this.stage.defer,
      ...(more.admit === undefined ? {} : { admit: more.admit }),
    });
    holder.mesh = mesh;
    await mesh.listen(`memory:${name}${more.query ?? ''}`);
    return { name, id, holder, mesh, cable, lines };
  }

  /** Moves one out, with a good-bye. */
  async close(resident: Resident): Promise<void> {
    const closing = resident.mesh.close();
    await this.stage.settle();
    await closing;
    await this.stage.settle();
  }

  /** Dials and waits until both are linked. */
  async link(from: Resident, to: Resident): Promise<void> {
    from.mesh.dial(`memory:${to.name}`);
    await this.stage.until(() => isLinked(from, to) && isLinked(to, from));
    await this.stage.settle();
  }
}

export function isLinked(from: Resident, to: Resident): boolean {
  return from.mesh.status().peers.some((each) => each.peer === to.id);
}
