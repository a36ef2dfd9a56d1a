import type { CausalSequence } from '../model/numbers.ts';
import type { AvatarId, GroupId, SyncGroup } from '../model/sync-group.ts';
import type { ForkRecord } from '../ports/store.ts';
import type { Core } from './core.ts';
import type { Directory } from './directory.ts';
import { RequestError } from './face.ts';
import { type Forking, INVALID_BLOCK } from './forking.ts';
import type { ForkReport, LogBlockReport, LogFace, LogReport } from './log-face.ts';
import { logStateOf } from './log-states.ts';
import type { Memory } from './turn.ts';

export interface LogsParts {
  readonly core: Core;
  readonly memory: Memory;
  readonly directory: Directory;
  readonly forking: Forking;
}

/** What the faces may ask of the logs. */
export class Logs implements LogFace {
  private readonly parts: LogsParts;

  constructor(parts: LogsParts) {
    this.parts = parts;
  }

  list(): LogReport[] {
    return this.parts.memory.registry.allGroups().flatMap((group) => {
      const finals = new Map(
        this.parts.core.store.finalFrontier(group.id).map((each) => [each.issuer, each.sequence]),
      );
      return group.owners.flatMap((author) => {
        const report = this.reportLog(group, author, finals.get(author) ?? 0);
        return report.sequence === 0 && report.fork === null ? [] : [report];
      });
    });
  }

  tail(groupPrefix: string, authorName: string, limit: number): LogBlockReport[] {
    const { core, memory } = this.parts;
    const group = this.findGroup(groupPrefix);
    const author = this.findOwner(group, authorName);
    const last = memory.tips.tip(group.id, author)?.sequence ?? 0;
    const from = Math.max(1, last - limit + 1) as CausalSequence;
    const fork = memory.forks.proof(group.id, author)?.sequence ?? Number.POSITIVE_INFINITY;
    // Of a log that forks, more than one Block may stand at a place.
    return core.store.blocks(group.id, author, from, 2 * limit).map(({ block, held, final }) => ({
      block: block.id,
      sequence: block.sequence,
      previous: block.previous,
      entryCount: block.entryCount,
      atMs: block.atMs,
      state: final ? 'final' : block.sequence >= fork ? 'covered' : 'pending',
      held,
    }));
  }

  forks(): ForkReport[] {
    return this.parts.memory.forks.all().map((record) => this.reportFork(record));
  }

  /** Authors of invalid Blocks; one each is kept. @source features E13. */
  invalid(): { author: string; fault: string }[] {
    const { core, directory } = this.parts;
    return core.store
      .evidence(core.config.evidenceMax)
      .filter(({ kind }) => kind.startsWith(INVALID_BLOCK))
      .map(({ offender, kind }) => ({
        author: directory.labelOf(offender),
        fault: kind.slice(INVALID_BLOCK.length),
      }));
  }

  async *followForks(signal: AbortSignal): AsyncGenerator<ForkReport> {
    const waiting = this.forks();
    let wake = () => {};
    const unlisten = this.parts.forking.listen((record) => {
      waiting.push(this.reportFork(record));
      wake();
    });
    const onAbort = () => wake();
    signal.addEventListener('abort', onAbort);
    try {
      while (!signal.aborted) {
        const next = waiting.shift();
        if (next !== undefined) {
          yield next;
          continue;
        }
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    } finally {
      signal.removeEventListener('abort', onAbort);
      unlisten();
    }
  }

  private reportLog(group: SyncGroup, author: AvatarId, finalSequence: number): LogReport {
    const { core, memory, directory } = this.parts;
    const record = memory.forks.get(group.id, author);
    const tip = memory.tips.tip(group.id, author);
    // A fork may lie beyond what is here: then the log ends, for now, where its Blocks do.
    const state = logStateOf(memory, { group: group.id, author });
    const end = state.sequence <= (tip?.sequence ?? 0) ? state.last : (tip?.block ?? null);
    return {
      group: group.id,
      pact: this.pactOf(group.id),
      author,
      name: directory.nameOf(author),
      own: author === core.self,
      last: end,
      sequence: Math.min(state.sequence, tip?.sequence ?? 0),
      finalSequence,
      state: state.forks === null ? 'growing' : 'shrinking',
      fork: record === null ? null : this.reportFork(record),
    };
  }

  private reportFork({ proof, seenAtMs }: ForkRecord): ForkReport {
    const { core, directory } = this.parts;
    const { group, author, sequence, previous, branches } = proof;
    return {
      group,
      pact: this.pactOf(group),
      author,
      name: directory.nameOf(author),
      own: author === core.self,
      sequence,
      previous,
      blocks: branches.map((each) => each.id),
      seenAtMs,
    };
  }

  private pactOf(id: GroupId): string {
    const { registry } = this.parts.memory;
    const group = registry.group(id);
    return (group === undefined ? undefined : registry.pact(group.pact)?.name) ?? 'unknown';
  }

  private findGroup(prefix: string): SyncGroup {
    const { registry } = this.parts.memory;
    const all = registry.allGroups();
    const named = all.filter((each) => this.pactOf(each.id) === prefix);
    const found = named.length > 0 ? named : all.filter((each) => each.id.startsWith(prefix));
    const [only, ...others] = found;
    if (only === undefined) {
      const message = `There is no Sync Group ${prefix}. Those known: vertebra log list`;
      throw new RequestError('group-unknown', message, { where: prefix });
    }
    if (others.length === 0) return only;
    const ids = found.map((each) => each.id.slice(0, 12)).join(', ');
    const message = `${prefix} may be any of the Sync Groups ${ids}. Give the beginning of its id.`;
    throw new RequestError('group-ambiguous', message, { where: prefix });
  }

  private findOwner(group: SyncGroup, name: string): AvatarId {
    const { core, directory } = this.parts;
    const isMeant = (owner: AvatarId) =>
      (name === 'self' && owner === core.self) ||
      directory.nameOf(owner) === name ||
      (name.length >= 4 && owner.startsWith(name));
    const [only, ...others] = group.owners.filter(isMeant);
    if (only !== undefined && others.length === 0) return only;
    const code = only === undefined ? 'owner-unknown' : 'owner-ambiguous';
    const owners = group.owners.map((each) => directory.labelOf(each)).join(', ');
    const message = `${name} is not one owner of ${group.id.slice(0, 12)}. Its owners: ${owners}`;
    throw new RequestError(code, message, { where: name });
  }
}
