import type { Timers } from '../ports/clock.ts';
import type { Device } from './device-settings.ts';
import type { Devices } from './devices.ts';
import type { GroupReport, PeerReport } from './face.ts';
import type { Logger } from './log.ts';

/** Looked at so often, or four times in the shortest time that is declared. */
const LOOK_MS = 1000;

/** What a look needs of a group; `GroupReport` has more. */
export interface WatchedGroup
  extends Pick<
    GroupReport,
    'pact' | 'own' | 'quorum' | 'ended' | 'alarm' | 'finalizedLevel' | 'lastSequence' | 'awaited'
  > {
  readonly id: string;
  readonly owners: readonly { readonly avatar: string }[];
}

/** What `status` knows of who is there. */
export interface Standing {
  readonly groups: readonly WatchedGroup[];
  readonly peers: readonly (Pick<PeerReport, 'state'> & { readonly avatar: string | null })[];
  readonly self: string;
  readonly halted: string | null;
}

export interface QuorumWatchOptions {
  readonly declared: readonly Device[];
  readonly devices: Pick<Devices, 'withhold'>;
  readonly timers: Timers;
  readonly log: Logger;
  readonly look: () => Standing;
}

type Watched = Extract<Device, { readonly onQuorumLoss: string }>;

/** What was seen of one group, and when it was last known to reach a Quorum. */
interface Sighting {
  readonly progress: string;
  readonly reachedAtMs: number;
}

/**
 * Holds back devices that declare it, while a Sync Group that they serve reaches no Quorum.
 *
 * A group reaches one as long as it makes something final, or as enough of its owners are linked to
 * this Participant and none of too many is awaited. Owners behind others are known by what becomes
 * final alone: where nothing does, silence counts as loss.
 *
 * @source features F24: what an output does on loss of Quorum is declared and enforced.
 */
export class QuorumWatch {
  readonly #options: QuorumWatchOptions;
  readonly #watched: readonly Watched[];
  readonly #sightings = new Map<string, Sighting>();
  readonly #beganAtMs: number;
  #cancel: (() => void) | null = null;

  constructor(options: QuorumWatchOptions) {
    this.#options = options;
    this.#beganAtMs = options.timers.monotonicMs();
    this.#watched = options.declared.filter(
      (each): each is Watched => 'onQuorumLoss' in each && each.onQuorumLoss === 'safe',
    );
  }

  start(): void {
    if (this.#watched.length === 0) return;
    const shortest = Math.min(...this.#watched.map(({ quorumLossMs }) => quorumLossMs));
    const turn = (): void => {
      this.#cancel = this.#options.timers.after(Math.min(LOOK_MS, shortest / 4), turn);
      this.look();
    };
    turn();
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = null;
  }

  /** Looks once, and acts. */
  look(): void {
    const { timers, look, devices, log } = this.#options;
    const nowMs = timers.monotonicMs();
    const standing = look();
    this.#observe(standing, nowMs);
    for (const { name, quorumGroup, quorumLossMs } of this.#watched) {
      const reason = this.#lossOf(standing, { quorumGroup, quorumLossMs, nowMs });
      if (!devices.withhold(name, reason)) continue;
      if (reason === null) log.info('device-quorum-back', { device: name });
      else log.warn('device-quorum-lost', { device: name, reason });
    }
  }

  #observe({ groups, peers, self, halted }: Standing, nowMs: number): void {
    const linked = new Set<string>([self]);
    for (const { avatar, state } of peers) {
      if (avatar !== null && (state === 'connected' || state === 'stand-by')) linked.add(avatar);
    }
    for (const group of groups) {
      const { id, quorum, owners, awaited, finalizedLevel, lastSequence, alarm } = group;
      const before = this.#sightings.get(id);
      const progress = `${finalizedLevel} ${lastSequence}`;
      const present = owners.filter(({ avatar }) => linked.has(avatar)).length;
      const agreeing = owners.length - awaited.length;
      const isComplete = present >= quorum && agreeing >= quorum;
      const isMoving = before !== undefined && before.progress !== progress;
      const isReached = halted === null && alarm === null && (isComplete || isMoving);
      const reachedAtMs = isReached ? nowMs : (before?.reachedAtMs ?? this.#beganAtMs);
      this.#sightings.set(id, { progress, reachedAtMs });
    }
    // What is a group no more is forgotten.
    const ids = new Set<string>(groups.map(({ id }) => id));
    for (const id of this.#sightings.keys()) if (!ids.has(id)) this.#sightings.delete(id);
  }

  #lossOf(
    { groups }: Standing,
    asked: { readonly quorumGroup: string; readonly quorumLossMs: number; readonly nowMs: number },
  ): string | null {
    const { quorumGroup: wanted, quorumLossMs, nowMs } = asked;
    const isAny = wanted === 'any';
    const served = groups.filter(
      ({ id, pact, own, ended }) =>
        ended === null && (isAny ? own : pact === wanted || id.startsWith(wanted)),
    );
    if (served.length === 0 && !isAny) {
      const waitedMs = nowMs - this.#beganAtMs;
      return waitedMs < quorumLossMs ? null : `there is no Sync Group ${wanted} here.`;
    }
    const lost = served.filter(({ id }) => {
      const sighting = this.#sightings.get(id);
      return sighting !== undefined && nowMs - sighting.reachedAtMs >= quorumLossMs;
    });
    const [first] = lost;
    if (first === undefined) return null;
    const what = `${first.pact} (${first.id.slice(0, 8)})`;
    return `the Sync Group ${what} reached no Quorum for ${quorumLossMs} ms.`;
  }
}
