import { compareText, fromHex } from '../model/bytes.ts';
import { encodeSuccession, type Succession } from '../model/hand-over.ts';
import type { Pact } from '../model/pact.ts';
import {
  AVAILABILITIES,
  type AvatarId,
  type GroupRules,
  OWNERS_MAX,
  QUORUM_POLICIES,
  type SyncGroup,
} from '../model/sync-group.ts';
import { type GroupChange, type GroupReport, RequestError } from './face.ts';
import { handedOverTo } from './lineage.ts';
import { type ReportParts, reportGroup } from './report.ts';
import { toEntryFields } from './succession-entries.ts';

export interface ChangingParts {
  readonly reports: ReportParts;
  readonly findGroup: (target: string) => SyncGroup;
  /** Pushes an Entry of a built-in Pact; resolves when it is final. */
  readonly deploy: (pact: Pact, entry: Record<string, unknown>) => Promise<void>;
}

/**
 * What a user may have changed of a Sync Group: its owners and rules, with a Quorum's approval or,
 * where that is lost for good, without.
 */
export class Changing {
  private readonly parts: ChangingParts;

  constructor(parts: ChangingParts) {
    this.parts = parts;
  }

  /** @throws RequestError */
  async change(target: string, change: GroupChange): Promise<GroupReport> {
    const { core, succeeding } = this.parts.reports;
    const group = this.findOwn(target);
    const succession = this.read(group, change);
    if (isSame(group, succession)) {
      const message = 'The Sync Group has just these owners and rules already: nothing to change.';
      throw new RequestError('group-unchanged', message);
    }
    if (!succeeding.approvals.has(core.self, succession)) {
      const signature = core.signer.sign(encodeSuccession(succession));
      await this.parts.deploy(core.builtIn.approval, { ...toEntryFields(succession), signature });
    }
    return this.report(group);
  }

  /** @throws RequestError */
  async split(target: string, change: GroupChange): Promise<GroupReport> {
    const { core, succeeding, memory } = this.parts.reports;
    const group = this.findOwn(target);
    const succession = this.read(group, change);
    if (group.owners.length === 1) {
      const message = 'A group of one owner has its Quorum: use vertebra group change.';
      throw new RequestError('group-unchanged', message);
    }
    if (!succession.owners.includes(core.self)) {
      const message = 'Who splits a Sync Group goes on with it: name --owner self too.';
      throw new RequestError('owner-unknown', message, { where: 'self' });
    }
    // Another owner may have split it to the same group already: then its head is ours.
    const known = (succeeding.splits.get(group.id) ?? [])
      .map(({ successor }) => memory.registry.group(successor))
      .find((each) => each !== undefined && isSame(each, succession));
    const head = known?.origin?.at ?? core.store.finalizedHead(group.id)?.metablock ?? null;
    await this.parts.deploy(core.builtIn.split, {
      ...toEntryFields(succession),
      ...(head === null ? {} : { head: fromHex(head) }),
      sequence: known?.origin?.sequence ?? core.store.lastSequence(group.id),
      at: core.timers.wallMs(),
    });
    return this.report(group);
  }

  private report(group: SyncGroup): GroupReport {
    return reportGroup(this.parts.reports, group, undefined);
  }

  private findOwn(target: string): SyncGroup {
    const { core, memory } = this.parts.reports;
    const group = this.parts.findGroup(target);
    const ended = whyEnded(this.parts.reports, group);
    if (ended !== null) throw ended;
    if (Object.values(core.builtIn).some(({ id }) => id === group.pact)) {
      const message = 'Sync Groups of built-in Pacts belong to their one owner for good.';
      throw new RequestError('group-not-owned', message, { where: target });
    }
    if (!group.owners.includes(core.self)) {
      const pact = memory.registry.pact(group.pact)?.name ?? group.pact;
      const message = `Only its owners change the Sync Group of ${pact}; this Participant is none.`;
      throw new RequestError('group-not-owned', message, { where: target });
    }
    return group;
  }

  /** What is not said stays as it is. */
  private read(group: SyncGroup, change: GroupChange): Succession {
    const { directory } = this.parts.reports;
    const named = new Set<AvatarId>((change.owners ?? []).map((each) => directory.find(each)));
    if (named.size > OWNERS_MAX) {
      const message = `A Sync Group has at most ${OWNERS_MAX} owners, not ${named.size}.`;
      throw new RequestError('owners-too-many', message);
    }
    const owners = named.size === 0 ? group.owners : [...named].sort(compareText);
    return { group: group.id, owners, ...readRules(group, change) };
  }
}

function readRules(group: SyncGroup, { quorum, availability }: GroupChange): GroupRules {
  return {
    quorumPolicy: choose(QUORUM_POLICIES, quorum ?? group.quorumPolicy, 'quorum'),
    availability: choose(AVAILABILITIES, availability ?? group.availability, 'availability'),
  };
}

function choose<Choice extends string>(
  choices: readonly Choice[],
  given: string,
  where: string,
): Choice {
  const choice = choices.find((each) => each === given);
  if (choice !== undefined) return choice;
  const message = `${where} is one of ${choices.join(', ')}, not ${given}.`;
  throw new RequestError('rules-unknown', message, { where });
}

function isSame(group: SyncGroup, { owners, quorumPolicy, availability }: Succession | SyncGroup) {
  return (
    group.quorumPolicy === quorumPolicy &&
    group.availability === availability &&
    group.owners.length === owners.length &&
    group.owners.every((owner, index) => owner === owners[index])
  );
}

/** Why nothing can be pushed to a group any more, and where it goes on; null while it does. */
export function whyEnded(reports: ReportParts, group: SyncGroup): RequestError | null {
  const { registry } = reports.memory;
  const closure = registry.closure(group.id);
  if (closure === undefined) return null;
  const id = group.id.slice(0, 12);
  if (closure.kind === 'split') {
    const own = reports.succeeding.splits.get(group.id)?.find(({ by }) => by === reports.core.self);
    const next = own?.successor.slice(0, 12) ?? 'another group';
    const message = `The Sync Group ${id} was split here, ended, and goes on as ${next}.`;
    return new RequestError('group-split', message, { where: group.id });
  }
  const next = handedOverTo(registry, group);
  const where = next === null ? 'a group whose owners have to come yet' : next.id.slice(0, 12);
  const isOwner = next?.owners.includes(reports.core.self) ?? false;
  const advice = isOwner ? '' : ', of which this Participant is no owner';
  const message =
    `The Sync Group ${id} was handed over and takes nothing more. ` +
    `It goes on as ${where}${advice}.`;
  return new RequestError('group-handed-over', message, { where: group.id });
}
