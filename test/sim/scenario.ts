import type { ConsensusSettings } from '../../src/consensus/events.ts';
import type { Availability, QuorumPolicy } from '../../src/model/sync-group.ts';
import type { Prng } from './prng.ts';

/** A Sync Group of a scenario; owners are places among the Participants. */
export interface GroupPlan {
  readonly owners: readonly number[];
  readonly quorumPolicy?: QuorumPolicy;
  readonly availability?: Availability;
  /** Hold its chain without owning it. */
  readonly subscribers?: readonly number[];
  /** In place of the scenario's own. */
  readonly blocksPerSecond?: number;
  /** From when to when nobody issues a Block, in virtual time. */
  readonly quietMs?: readonly [number, number];
}

/** Who goes on after the group of the same place, and by which rules. */
export interface HandOverPlan {
  /** Which of the groups ends. */
  readonly group: number;
  readonly owners: readonly number[];
  readonly quorumPolicy?: QuorumPolicy;
  /** When its owners hear of the approvals: each at a time of its own. */
  readonly atMs: readonly [number, number];
}

/** An owner that goes on alone, without the others. */
export interface SplitPlan {
  readonly group: number;
  readonly who: number;
  readonly atMs: number;
}

/** Every so many Levels owners sign where the group stands; of what is below all but so many go. */
export interface MemoryPlan {
  readonly everyLevels: number;
  readonly keptEntries: number;
}

/** Each a file of liars/. */
export type LiarKind =
  | 'equivocator'
  | 'forker'
  | 'brancher'
  | 'double-voter'
  | 'withholder'
  | 'idler'
  | 'grinder'
  | 'replayer'
  | 'forger'
  | 'babbler'
  | 'leaper'
  | 'flooder'
  | 'censor'
  | 'usurper'
  | 'cutter';

/** What a run is to be like; what is left out is drawn from the seed. */
export interface Scenario {
  readonly name: string;
  readonly participants: number;
  readonly groups: readonly GroupPlan[];
  /** Blocks that each owner issues per second of virtual time and group. */
  readonly blocksPerSecond?: number;
  /** All owners issue a Block at once, at the start. */
  readonly allAtOnce?: boolean;
  readonly faults?: Partial<Faults>;
  readonly settings?: Partial<ConsensusSettings>;
  /** Down from the start to the end. */
  readonly dead?: readonly number[];
  /** Down for good from some time on. */
  readonly deaths?: readonly { readonly who: number; readonly atMs: number }[];
  /** The first Participants are Byzantine, of these kinds; `any` is drawn from the seed. */
  readonly liars?: readonly (LiarKind | 'any')[];
  /** Up only when the network heals. */
  readonly late?: readonly number[];
  /** Down from some time to another. */
  readonly absences?: readonly { readonly who: number; readonly fromToMs: readonly number[] }[];
  /** Where there are two of one group, half of its owners hear of the one first. */
  readonly handOvers?: readonly HandOverPlan[];
  readonly splits?: readonly SplitPlan[];
  /** Null where all is kept. */
  readonly memory?: MemoryPlan;
  /** Is everybody linked to everybody, each to the next, or to those it shares a group with? */
  readonly topology?: 'mesh' | 'ring' | 'groups';
  /** Owners vote at random within the rules until the network heals. */
  readonly wild?: boolean;
  readonly safetyMs?: number;
  /** Virtual time in which everything must be final after healing. */
  readonly livenessMs?: number;
}

/** Rates and times of what goes wrong until the network heals. */
export interface Faults {
  readonly loss: number;
  readonly duplication: number;
  /** One-way delay. */
  readonly delayMinMs: number;
  readonly delayMaxMs: number;
  /** Partitions begun per second, and how long one lasts at most. */
  readonly partitionsPerSecond: number;
  readonly partitionMs: number;
  /** Chance of a crash at each commit, and how long one is down at most. */
  readonly crash: number;
  readonly downMs: number;
  /** Clocks run by up to this share too fast or too slow. */
  readonly skew: number;
  readonly headerFirst: number;
}

export const NO_FAULTS: Faults = {
  loss: 0,
  duplication: 0,
  delayMinMs: 5,
  delayMaxMs: 5,
  partitionsPerSecond: 0,
  partitionMs: 0,
  crash: 0,
  downMs: 0,
  skew: 0,
  headerFirst: 0,
};

/** Draws how bad it gets: some runs are nearly calm, some are bad in every way. */
export function drawFaults(prng: Prng): Faults {
  const some = (chance: number, max: number) => (prng.chance(chance) ? prng.between(0, max) : 0);
  const delayMinMs = prng.pick([0.5, 2, 10, 30]);
  return {
    loss: some(0.7, 0.3),
    duplication: some(0.5, 0.2),
    delayMinMs,
    delayMaxMs: delayMinMs * prng.pick([1, 1.5, 3, 10]),
    partitionsPerSecond: some(0.6, 1),
    partitionMs: prng.pick([200, 1000, 4000]),
    crash: some(0.6, 0.03),
    downMs: prng.pick([50, 500, 3000]),
    skew: some(0.5, 0.05),
    headerFirst: some(0.4, 0.5),
  };
}
