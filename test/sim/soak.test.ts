import { expect, it } from 'vitest';
import { soak } from './soak.ts';
import type { Sizes } from './state-size.ts';

/** VERTEBRA_SOAK=100000 runs a long one and prints every count of each stretch. */
const GENERATIONS = Number(process.env['VERTEBRA_SOAK'] ?? 1500);
const STRETCHES = 6;

/** A map that lives for long may be a little fuller by chance, never by the length of the run. */
const SLACK = 1.25;
const SLACK_COUNT = 160;

it('memory and undecided tables stay as they are after a warm-up', { timeout: 7_200_000 }, () => {
  const { generations, stretches } = soak(GENERATIONS, STRETCHES);
  expect(generations).toBeGreaterThanOrEqual(GENERATIONS);
  const warm = mostOf(stretches.slice(1, STRETCHES / 2));
  const late = mostOf(stretches.slice(STRETCHES / 2));
  if (process.env['VERTEBRA_SOAK'] !== undefined) console.table(stretches);
  const grown = Object.keys(late).filter(
    (name) => late[name]! > (warm[name] ?? 0) * SLACK + SLACK_COUNT,
  );
  expect(grown.map((name) => `${name}: ${warm[name]} then ${late[name]}`)).toEqual([]);
});

function mostOf(stretches: readonly Sizes[]): Sizes {
  const most: Sizes = {};
  for (const sizes of stretches) {
    for (const [name, size] of Object.entries(sizes)) most[name] = Math.max(most[name] ?? 0, size);
  }
  return most;
}
