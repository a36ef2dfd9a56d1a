import type { LiarKind, Scenario } from './scenario.ts';

const first = (count: number) => Array.from({ length: count }, (_, index) => index);

function owners(count: number, more: Partial<Scenario> = {}): Scenario {
  return {
    name: `owners-${count}`,
    participants: count,
    groups: [{ owners: first(count) }],
    ...more,
  };
}

const CRASHES = { crash: 0.05, downMs: 500 };
const PARTITIONS = { partitionsPerSecond: 1.5, partitionMs: 3000 };

/** Runs with faults drawn from the seed. What a scenario fixes itself is not drawn. */
export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'owners-1',
    participants: 3,
    groups: [{ owners: [0], subscribers: [1, 2] }],
  },
  owners(2),
  owners(3),
  owners(4),
  owners(5),
  owners(7),
  owners(10, { blocksPerSecond: 1, safetyMs: 2000 }),
  {
    name: 'overlapping-groups',
    participants: 5,
    groups: [{ owners: [0, 1, 2] }, { owners: [1, 2, 3, 4] }, { owners: [0, 4] }],
  },
  {
    name: 'groups-of-the-same-owners',
    participants: 3,
    groups: [{ owners: [0, 1, 2] }, { owners: [0, 1, 2] }, { owners: [0, 1, 2] }],
  },
  {
    name: 'disjoint-groups',
    participants: 6,
    groups: [{ owners: [0, 1, 2] }, { owners: [3, 4, 5] }],
  },
  {
    name: 'every-owner',
    participants: 3,
    groups: [{ owners: [0, 1, 2], quorumPolicy: 'every-owner' }],
  },
  {
    name: 'strict-profile',
    participants: 3,
    groups: [{ owners: [0, 1, 2], quorumPolicy: 'strict' }],
  },
  {
    name: 'votes-on-headers-alone',
    participants: 4,
    groups: [{ owners: [0, 1, 2, 3], availability: 'headers' }],
    faults: { headerFirst: 0.7 },
  },
  owners(4, { name: 'partition-and-heal', faults: PARTITIONS }),
  owners(4, { name: 'crashes-around-the-commit', faults: CRASHES }),
  owners(3, { name: 'crashes-three-owners', faults: CRASHES }),
  owners(4, { name: 'all-prepare-at-once', allAtOnce: true }),
  owners(4, { name: 'first-owner-dead', dead: [0] }),
  owners(5, {
    name: 'two-of-seven-dead',
    participants: 7,
    groups: [{ owners: first(7) }],
    dead: [1, 4],
  }),
  {
    name: 'dead-owner-of-two-groups',
    participants: 5,
    groups: [{ owners: [0, 1, 2] }, { owners: [1, 2, 3, 4] }],
    dead: [0],
  },
  owners(4, { name: 'late-joiner', late: [3] }),
  {
    name: 'subscriber',
    participants: 4,
    groups: [{ owners: [0, 1, 2], subscribers: [3] }],
  },
  {
    name: 'late-subscriber-of-two-groups',
    participants: 4,
    groups: [
      { owners: [0, 1, 2], subscribers: [3] },
      { owners: [0, 1], subscribers: [3] },
    ],
    late: [3],
  },
  owners(4, { name: 'ring-of-links', topology: 'ring' }),
  {
    name: 'many-disjoint-groups',
    participants: 30,
    groups: Array.from({ length: 10 }, (_, group) => ({
      owners: first(3).map((i) => 3 * group + i),
    })),
    topology: 'groups',
    blocksPerSecond: 1,
    safetyMs: 2000,
  },
  {
    name: 'group-idle-for-long',
    participants: 4,
    groups: [
      { owners: [0, 1, 2], blocksPerSecond: 10 },
      { owners: [1, 2, 3], quietMs: [300, 3500] },
    ],
  },
  {
    name: 'quorum-dead-before-merge',
    participants: 5,
    groups: [{ owners: [0, 1, 2] }, { owners: [2, 3, 4] }],
    dead: [3, 4],
  },
  {
    name: 'quorum-dead-after-merge',
    participants: 5,
    groups: [{ owners: [0, 1, 2] }, { owners: [2, 3, 4] }],
    deaths: [
      { who: 3, atMs: 1500 },
      { who: 4, atMs: 1600 },
    ],
  },
  owners(3, { name: 'much-to-say', blocksPerSecond: 25 }),
  owners(2, { name: 'duel-of-two-writers', blocksPerSecond: 25 }),
];

/** Owners that vote at random within the rules until the network heals. */
export const WILD_SCENARIOS: readonly Scenario[] = [
  owners(2, { name: 'wild-2-owners', wild: true }),
  owners(3, { name: 'wild-3-owners', wild: true }),
  owners(4, { name: 'wild-4-owners', wild: true }),
  {
    name: 'wild-overlapping-groups',
    participants: 4,
    groups: [{ owners: [0, 1, 2] }, { owners: [1, 2, 3] }],
    wild: true,
  },
];

const KINDS: readonly LiarKind[] = [
  ...(['equivocator', 'forker', 'double-voter', 'withholder', 'idler', 'grinder'] as const),
  ...(['replayer', 'forger', 'babbler', 'leaper', 'flooder', 'censor'] as const),
];

/** Byzantine owners, fewer than a third of each group. */
export const LIAR_SCENARIOS: readonly Scenario[] = [
  ...KINDS.map((kind) => owners(4, { name: kind, liars: [kind] })),
  owners(7, { name: 'two-liars-of-seven', liars: ['any', 'any'], safetyMs: 2000 }),
  owners(10, {
    name: 'three-liars-of-ten',
    liars: ['any', 'any', 'any'],
    blocksPerSecond: 2,
    safetyMs: 1000,
  }),
  {
    name: 'liar-in-two-groups',
    participants: 7,
    groups: [{ owners: [0, 1, 2, 3] }, { owners: [0, 3, 4, 5] }, { owners: [1, 6] }],
    liars: ['any'],
    safetyMs: 2000,
  },
  owners(4, { name: 'liar-on-a-ring', liars: ['any'], topology: 'ring' }),
  owners(4, { name: 'wild-beside-a-liar', liars: ['double-voter'], wild: true, safetyMs: 2000 }),
];

const MEMORY = { everyLevels: 4, keptEntries: 6 };

/** Groups that end and go on as others, and groups of which only the newest is kept. */
export const MEMBERSHIP_SCENARIOS: readonly Scenario[] = [
  {
    name: 'hand-over',
    participants: 5,
    groups: [{ owners: [0, 1, 2, 3], subscribers: [4] }],
    handOvers: [{ group: 0, owners: [1, 2, 3, 4], atMs: [500, 2500] }],
  },
  owners(4, {
    name: 'hand-over-in-partitions-and-crashes',
    handOvers: [{ group: 0, owners: [0, 1, 2], quorumPolicy: 'every-owner', atMs: [300, 3000] }],
    faults: { ...CRASHES, ...PARTITIONS },
    blocksPerSecond: 6,
  }),
  owners(3, {
    name: 'hand-over-to-one-of-two',
    handOvers: [
      { group: 0, owners: [0, 1], atMs: [500, 2000] },
      { group: 0, owners: [0, 1, 2], quorumPolicy: 'every-owner', atMs: [500, 2000] },
    ],
  }),
  owners(4, {
    name: 'hand-over-without-a-lost-owner',
    deaths: [{ who: 3, atMs: 800 }],
    handOvers: [{ group: 0, owners: [0, 1, 2], atMs: [1500, 2500] }],
  }),
  owners(4, {
    name: 'hand-over-that-one-comes-late-to',
    late: [3],
    handOvers: [{ group: 0, owners: [0, 1, 2, 3], quorumPolicy: 'strict', atMs: [300, 1500] }],
  }),
  owners(4, {
    name: 'hand-over-beside-a-liar',
    liars: ['any'],
    handOvers: [{ group: 0, owners: [1, 2, 3], atMs: [500, 2500] }],
  }),
  owners(4, {
    name: 'hand-over-to-two-beside-a-forker',
    liars: ['forker'],
    handOvers: [
      { group: 0, owners: [1, 2, 3], atMs: [500, 2000] },
      { group: 0, owners: [0, 1, 2, 3], quorumPolicy: 'two-thirds', atMs: [500, 2000] },
    ],
  }),
  owners(4, { name: 'usurper', liars: ['usurper'] }),
  {
    name: 'split-of-two-where-one-died',
    participants: 3,
    groups: [{ owners: [0, 1], subscribers: [2] }],
    deaths: [{ who: 1, atMs: 1000 }],
    splits: [{ group: 0, who: 0, atMs: 2000 }],
  },
  owners(4, {
    name: 'split-while-the-others-go-on',
    splits: [{ group: 0, who: 0, atMs: 1500 }],
  }),
  owners(4, { name: 'cuts', memory: MEMORY, blocksPerSecond: 8 }),
  {
    name: 'cuts-and-a-newcomer',
    participants: 5,
    groups: [{ owners: [0, 1, 2, 3], subscribers: [4] }],
    memory: MEMORY,
    blocksPerSecond: 8,
    late: [4],
  },
  owners(4, {
    name: 'cuts-and-an-owner-long-away',
    memory: MEMORY,
    blocksPerSecond: 8,
    absences: [{ who: 3, fromToMs: [700, 3000] }],
  }),
  owners(4, {
    name: 'cuts-in-partitions-and-crashes',
    memory: MEMORY,
    blocksPerSecond: 8,
    faults: { ...CRASHES, ...PARTITIONS },
  }),
  {
    name: 'cuts-beside-a-cutter',
    participants: 5,
    groups: [{ owners: [0, 1, 2, 3], subscribers: [4] }],
    memory: MEMORY,
    blocksPerSecond: 8,
    liars: ['cutter'],
    absences: [{ who: 3, fromToMs: [700, 2500] }],
    late: [4],
  },
  owners(4, {
    name: 'cuts-beside-a-liar',
    memory: MEMORY,
    blocksPerSecond: 8,
    liars: ['any'],
    absences: [{ who: 3, fromToMs: [700, 2500] }],
  }),
  owners(3, { name: 'cuts-in-the-wild', memory: MEMORY, wild: true, safetyMs: 2000 }),
  {
    name: 'hand-over-of-a-group-that-is-cut',
    participants: 5,
    groups: [{ owners: [0, 1, 2, 3], subscribers: [4] }],
    memory: MEMORY,
    blocksPerSecond: 8,
    late: [4],
    absences: [{ who: 3, fromToMs: [700, 2500] }],
    handOvers: [{ group: 0, owners: [0, 1, 2, 3, 4], atMs: [1200, 2400] }],
  },
];

/** What a seed is drawn from. */
export const ALL_SCENARIOS: readonly Scenario[] = [
  ...SCENARIOS,
  ...WILD_SCENARIOS,
  ...LIAR_SCENARIOS,
  ...MEMBERSHIP_SCENARIOS,
];
