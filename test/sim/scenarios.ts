import type { Scenario } from './scenario.ts';

const first = (count: number) => Array.from({ length: count }, (_, index) => index);

function owners(count: number, more: Partial<Scenario> = {}): Scenario {
  return {
    name: `${count} owners`,
    participants: count,
    groups: [{ owners: first(count) }],
    ...more,
  };
}

const CRASHES = { crash: 0.05, downMs: 500 };
const PARTITIONS = { partitionsPerSecond: 1.5, partitionMs: 3000 };

/** Runs with faults drawn from the seed. What a scenario fixes itself is not drawn. */
export const SCENARIOS: readonly Scenario[] = [
  owners(2),
  owners(3),
  owners(4),
  owners(5),
  owners(7),
  {
    name: 'overlapping groups',
    participants: 5,
    groups: [{ owners: [0, 1, 2] }, { owners: [1, 2, 3, 4] }, { owners: [0, 4] }],
  },
  {
    name: 'groups of the same owners',
    participants: 3,
    groups: [{ owners: [0, 1, 2] }, { owners: [0, 1, 2] }, { owners: [0, 1, 2] }],
  },
  {
    name: 'disjoint groups',
    participants: 6,
    groups: [{ owners: [0, 1, 2] }, { owners: [3, 4, 5] }],
  },
  {
    name: 'every owner',
    participants: 3,
    groups: [{ owners: [0, 1, 2], quorumPolicy: 'every-owner' }],
  },
  {
    name: 'strict profile',
    participants: 3,
    groups: [{ owners: [0, 1, 2], quorumPolicy: 'strict' }],
  },
  {
    name: 'votes on headers alone',
    participants: 4,
    groups: [{ owners: [0, 1, 2, 3], availability: 'headers' }],
    faults: { headerFirst: 0.7 },
  },
  owners(4, { name: 'partition and heal', faults: PARTITIONS }),
  owners(4, { name: 'crashes around the commit', faults: CRASHES }),
  owners(3, { name: 'crashes, three owners', faults: CRASHES }),
  owners(4, { name: 'all prepare at once', allAtOnce: true }),
  owners(4, { name: 'first owner dead', dead: [0] }),
  owners(5, {
    name: 'two of seven dead',
    participants: 7,
    groups: [{ owners: first(7) }],
    dead: [1, 4],
  }),
  {
    name: 'a group that lost its Quorum beside one that did not',
    participants: 5,
    groups: [{ owners: [0, 1, 2] }, { owners: [1, 2, 3, 4] }],
    dead: [0],
  },
  owners(4, { name: 'late joiner', late: [3] }),
  {
    name: 'subscriber',
    participants: 4,
    groups: [{ owners: [0, 1, 2], subscribers: [3] }],
  },
  {
    name: 'late subscriber of two groups',
    participants: 4,
    groups: [
      { owners: [0, 1, 2], subscribers: [3] },
      { owners: [0, 1], subscribers: [3] },
    ],
    late: [3],
  },
  owners(4, { name: 'ring of links', topology: 'ring' }),
  owners(3, { name: 'much to say', blocksPerSecond: 25 }),
  owners(2, { name: 'duel of two writers', blocksPerSecond: 25 }),
];

/** Owners that vote at random within the rules until the network heals. */
export const WILD_SCENARIOS: readonly Scenario[] = [
  owners(2, { name: 'wild, 2 owners', wild: true }),
  owners(3, { name: 'wild, 3 owners', wild: true }),
  owners(4, { name: 'wild, 4 owners', wild: true }),
  {
    name: 'wild, overlapping groups',
    participants: 4,
    groups: [{ owners: [0, 1, 2] }, { owners: [1, 2, 3] }],
    wild: true,
  },
];
