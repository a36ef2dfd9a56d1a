import { describe } from '../consensus/metablockchain.ts';
import { fromHex } from '../model/bytes.ts';
import type { Pact } from '../model/pact.ts';
import { type GroupId, OWNERS_MAX, type SyncGroup } from '../model/sync-group.ts';
import { LinkError } from '../ports/link.ts';
import { PactError } from '../ports/pacts.ts';
import { Changing, whyEnded } from './changing.ts';
import { GroupChannel } from './channel.ts';
import { type GroupReport, type PactReport, RequestError } from './face.ts';
import { latestOf, lineOf, meantBy } from './lineage.ts';
import type { Loop } from './loop.ts';
import { checkPeers } from './peer-book.ts';
import { deriveGroup } from './registry.ts';
import { type ReportParts, reportGroup, reportPact } from './report.ts';

export interface RequestParts {
  readonly reports: ReportParts;
  readonly loop: Loop;
  readonly refusal: () => RequestError | null;
  readonly isClosed: () => boolean;
  readonly onFinal: (group: GroupId, act: () => void) => () => void;
}

const SHORTEST_PREFIX = 4;

/** What a user may have changed: everything is checked here, then goes in through a Channel. */
export class Requests {
  readonly changing: Changing;
  private readonly parts: RequestParts;

  constructor(parts: RequestParts) {
    this.parts = parts;
    this.changing = new Changing({
      reports: parts.reports,
      findGroup: (target) => this.findGroup(target),
      deploy: (pact, entry) => this.deploy(pact, entry),
    });
  }

  addPeer(url: string): void {
    const { gossip, core } = this.parts.reports;
    try {
      if (/^(tcp|mqtts?):/.test(url)) checkPeers([url]);
      gossip.dial(url);
    } catch (cause) {
      if (!(cause instanceof LinkError)) throw cause;
      throw new RequestError('url-invalid', cause.message, { where: url, cause });
    }
    this.parts.loop.enqueue(() => core.store.putPeerUrl(url));
  }

  async addPact(fileText: string): Promise<PactReport> {
    const { core, memory } = this.parts.reports;
    const pact = this.readPact(fileText);
    if (memory.registry.pact(pact.id) === undefined) {
      const other = memory.registry.allPacts().find((each) => each.name === pact.name);
      if (other !== undefined) {
        throw new RequestError(
          'pact-conflict',
          `Another Pact is called ${pact.name} already (${other.id.slice(0, 12)}). A Pact never ` +
            'changes: give this one a new name, and let it extend the old one if it adds fields.',
          { where: 'name' },
        );
      }
      await this.deploy(core.builtIn.pact, { name: pact.name, definition: pact.definition });
    }
    const record = core.store.pacts().find((each) => each.pact.id === pact.id);
    if (record === undefined) {
      throw new RequestError('pact-invalid', `The Pact ${pact.name} was not taken; see the log.`);
    }
    return reportPact(record);
  }

  async addGroup(pactName: string, owners: readonly string[]): Promise<GroupReport> {
    const { core, memory, directory } = this.parts.reports;
    const pact = this.findPact(pactName);
    if (owners.length === 0) {
      throw new RequestError('owner-unknown', 'A Sync Group has owners: name each with --owner.');
    }
    const avatars = new Set(owners.map((owner) => directory.find(owner)));
    if (avatars.size > OWNERS_MAX) {
      throw new RequestError(
        'owners-too-many',
        `A Sync Group has at most ${OWNERS_MAX} owners, not ${avatars.size}.`,
      );
    }
    const group = deriveGroup(core.hash, pact, [...avatars]);
    if (memory.registry.group(group.id) === undefined) {
      const keys = group.owners.map((owner) => fromHex(owner));
      await this.deploy(core.builtIn.group, { pact: fromHex(pact.id), owners: keys });
    }
    const state = describe(memory.consensus).find((each) => each.group === group.id);
    return reportGroup(this.parts.reports, group, state);
  }

  channel(target: string): GroupChannel {
    return this.open(this.findGroup(target));
  }

  private open(group: SyncGroup): GroupChannel {
    const { core, memory, issuing } = this.parts.reports;
    const pact = memory.registry.pact(group.pact);
    if (pact === undefined) {
      throw new RequestError('pact-unknown', `The Pact of ${group.id} has not come yet.`);
    }
    return new GroupChannel({
      group,
      codec: core.reader.codecOf(pact),
      store: core.store,
      outlet: group.owners.includes(core.self) ? issuing.outlet(group) : null,
      pullMax: core.config.pullEntriesMax,
      entryBytesMax: core.config.entryBytesMax,
      monotonicMs: () => core.timers.monotonicMs(),
      refusal: this.parts.refusal,
      ended: () => whyEnded(this.parts.reports, group),
      line: () => lineOf(memory.registry, group),
      isClosed: this.parts.isClosed,
      changed: () => this.parts.loop.schedule(),
      onFinal: (act) => this.parts.onFinal(latestOf(memory.registry, group).id, act),
    });
  }

  /** Pushes one Entry of a built-in Pact into the sole-owner group of this Participant. */
  async deploy(pact: Pact, entry: Record<string, unknown>): Promise<void> {
    const { core, memory } = this.parts.reports;
    const group = deriveGroup(core.hash, pact, [core.self]);
    if (memory.registry.group(group.id) === undefined) {
      await new Promise<void>((resolve) => {
        this.parts.loop.enqueue((turn) => {
          core.store.putGroup(group);
          turn.registry.addGroup(group);
          turn.afterCommit.push(resolve);
        });
      });
    }
    const channel = this.open(group);
    await channel.push([entry]);
    await channel.flushed();
  }

  private readPact(fileText: string): Pact {
    try {
      return this.parts.reports.core.reader.readFile(fileText, (name) => this.lookUpPact(name));
    } catch (cause) {
      if (!(cause instanceof PactError)) throw cause;
      throw new RequestError('pact-invalid', `${cause.path}: ${cause.message}`, {
        where: cause.path,
        cause,
      });
    }
  }

  private lookUpPact(nameOrId: string): Pact | undefined {
    const all = this.parts.reports.memory.registry.allPacts();
    return all.find((each) => each.name === nameOrId || each.id === nameOrId);
  }

  private findPact(nameOrId: string): Pact {
    const pact = this.lookUpPact(nameOrId);
    if (pact !== undefined) return pact;
    const all = this.parts.reports.memory.registry.allPacts();
    throw new RequestError(
      'pact-unknown',
      `There is no Pact ${nameOrId} in this World. ` +
        `Known: ${all.map((each) => each.name).join(', ')}. ` +
        'Deploy one with: vertebra pact add FILE',
      { where: nameOrId },
    );
  }

  private findGroup(target: string): SyncGroup {
    const { core, memory } = this.parts.reports;
    const groups = memory.registry.allGroups();
    const byId = groups.filter(
      (each) => target.length >= SHORTEST_PREFIX && each.id.startsWith(target),
    );
    const pact = this.lookUpPact(target);
    const meant = pact === undefined ? byId : meantBy(memory.registry, pact.id, core.self);
    const [only, ...others] = meant;
    if (only === undefined) {
      if (pact === undefined) this.findPact(target);
      throw new RequestError(
        'group-unknown',
        `The Pact ${target} has no Sync Group yet. Make one with: vertebra group add ${target} ` +
          '--owner self --owner NAME...',
        { where: target },
      );
    }
    if (others.length === 0) return only;
    const ids = meant.map((each) => each.id.slice(0, 12)).join(', ');
    throw new RequestError(
      'group-ambiguous',
      `${target} may be any of the Sync Groups ${ids}. Give the beginning of its id instead.`,
      { where: target },
    );
  }
}
