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

/** What a seed is drawn from. */
export const ALL_SCENARIOS: readonly Scenario[] = [
  ...SCENARIOS,
  ...WILD_SCENARIOS,
  ...LIAR_SCENARIOS,
];
