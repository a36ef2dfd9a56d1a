import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { main as explore } from './explore.ts';
import { UsageError } from './options.ts';
import { ALL_SCENARIOS } from './scenarios.ts';
import { main as sim } from './sim.ts';
import { drawScenario } from './tally.ts';

let said: string[] = [];

beforeEach(() => {
  said = [];
  vi.spyOn(console, 'log').mockImplementation((line: string) => void said.push(line));
  vi.spyOn(console, 'error').mockImplementation(() => undefined);
});

afterEach(() => {
  vi.restoreAllMocks();
});

const words = (line: string) => line.split(' ').filter((word) => word !== '');

describe('npm run sim', () => {
  it('counts its runs in one last object, and ends well where nothing is found', () => {
    expect(sim(words('--seeds 5..7 --scenario owners-2 --json'))).toBe(0);
    expect(said).toHaveLength(1);
    expect(JSON.parse(said[0]!)).toMatchObject({ seeds: 3, violations: 0, stalled: 0 });
  });

  it('ends well with a mutation only where it shows, and says how to run it again', () => {
    expect(sim(words('--seeds 1..9 --mutate V1'))).toBe(0);
    expect(JSON.parse(said.at(-1)!).violations).toBe(1);
    expect(said.join('\n')).toMatch(/--seeds \d+\.\.\d+ --scenario wild-3-owners --mutate V1/);
    expect(sim(words('--seeds 1..1 --scenario owners-1 --mutate V1'))).toBe(1);
  });

  it('draws another scenario for another seed, the same for the same', () => {
    const draw = (seed: number) => drawScenario(seed, ALL_SCENARIOS).name;
    const drawn = Array.from({ length: 500 }, (_, seed) => draw(seed));
    expect(new Set(drawn).size).toBe(ALL_SCENARIOS.length);
    expect(drawn).toEqual(drawn.map((_, seed) => draw(seed)));
  });

  it.each([
    '',
    '--seeds 5',
    '--seeds 7..5',
    '--seeds 1..x',
    '--seeds 1..2 --scenario none',
    '--seeds 1..2 --mutate V9',
    '--seeds 1..2 --walks 3',
    '--seeds 1..2 --seeds 1..2',
    '--seeds',
    'seeds 1..2',
  ])('refuses what makes no sense: «%s»', (line) => {
    expect(() => sim(words(line))).toThrow(UsageError);
  });
});

describe('npm run explore', () => {
  it('counts its walks in one last object', () => {
    expect(explore(words('--walks 100 --owners 4 --json'))).toBe(0);
    expect(JSON.parse(said.at(-1)!)).toMatchObject({ walks: 100, violations: 0, owners: 4 });
  });

  it('ends well with a mutation only where it shows, and says how to run it again', () => {
    expect(explore(words('--walks 4000 --owners 7 --mutate V3b'))).toBe(0);
    const again = said.join('\n').match(/explore -- (.*)/)?.[1];
    expect(explore(words(again!))).toBe(0);
    expect(explore(words('--walks 1 --owners 4 --mutate V3b'))).toBe(1);
  });

  it.each([
    '--owners 4',
    '--walks 10',
    '--walks 10 --owners 5',
    '--walks 0 --owners 4',
    '--walks 10 --owners 4 --mutate turns',
  ])('refuses what makes no sense: «%s»', (line) => {
    expect(() => explore(words(line))).toThrow(UsageError);
  });
});
