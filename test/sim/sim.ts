import { MUTATION_NAMES } from './mutation.ts';
import { readChoice, readCount, readOptions, UsageError } from './options.ts';
import { ALL_SCENARIOS } from './scenarios.ts';
import { drawScenario, type Failure, runSeed, type ScenarioTally, scenariosFor } from './tally.ts';

const SEED_MAX = 2 ** 31 - 1;
/** Failures that are told in full. */
const TOLD_MAX = 5;

export const usage =
  'npm run sim -- --seeds A..B [--scenario NAME] ' +
  `[--mutate ${MUTATION_NAMES.join('|')}] [--json]`;

function readPlan(args: readonly string[]) {
  const options = readOptions(args, ['seeds', 'scenario', 'mutate']);
  const seeds = options.get('seeds')?.match(/^(\d+)\.\.(\d+)$/);
  if (seeds == null) throw new UsageError('--seeds wants two numbers, as in 1..500');
  const from = readCount(seeds[1]!, '--seeds', [0, SEED_MAX]);
  const to = readCount(seeds[2]!, '--seeds', [from, SEED_MAX]);
  const mutate = options.get('mutate');
  const mutation = mutate === undefined ? null : readChoice(mutate, '--mutate', MUTATION_NAMES);
  const name = options.get('scenario');
  if (name !== undefined) {
    const names = ALL_SCENARIOS.map((scenario) => scenario.name);
    readChoice(name, '--scenario', names);
  }
  const all = ALL_SCENARIOS.filter((scenario) => scenario.name === name);
  const scenarios = name === undefined ? scenariosFor(mutation) : all;
  return { from, to, mutation, scenarios, isJson: options.has('json') };
}

function tell({ seed, scenario, isStall, message }: Failure, mutate: string): string {
  const again = `npm run sim -- --seeds ${seed}..${seed} --scenario ${scenario}${mutate}`;
  return `${isStall ? 'STALLED' : 'VIOLATION'} ${message}\n  again: ${again}`;
}

function table(tallies: ReadonlyMap<string, ScenarioTally>): string[] {
  const sorted = [...tallies].sort(([a], [b]) => (a < b ? -1 : 1));
  return sorted.map(([name, { runs, violations, stalled, blocks, levels, ballots, messages }]) => {
    const wrong = `${violations} violations, ${stalled} stalled`;
    const drawn = `${blocks} Blocks, ${levels} Levels, ${ballots} Ballots, ${messages} messages`;
    return `${name.padEnd(30)} ${runs} runs, ${wrong}; ${drawn}`;
  });
}

/** With a mutation the runs end with the first that shows it. @returns the exit code. */
export function main(args: readonly string[]): number {
  const { from, to, mutation, scenarios, isJson } = readPlan(args);
  const say = isJson ? console.error : console.log;
  const mutate = mutation === null ? '' : ` --mutate ${mutation}`;
  say(`seeds ${from}..${to} over ${scenarios.length} scenarios${mutate}`);
  const tallies = new Map<string, ScenarioTally>();
  let seeds = 0;
  const failures: Failure[] = [];
  for (let seed = from; seed <= to; seed++) {
    const scenario = drawScenario(seed, scenarios);
    seeds++;
    const failure = runSeed(tallies, scenario, { seed, mutation });
    if (failure === null) continue;
    failures.push(failure);
    if (failures.length <= TOLD_MAX) say(tell(failure, mutate));
    else say(`seed ${seed}, ${failure.scenario}: ${failure.isStall ? 'stalled' : 'violation'}`);
    if (mutation !== null) break;
  }
  for (const line of table(tallies)) say(line);
  const stalled = failures.filter((failure) => failure.isStall).length;
  const violations = failures.length - stalled;
  const found = failures.map(({ seed, scenario }) => ({ seed, scenario })).slice(0, 100);
  const scenarioCount = tallies.size;
  console.log(
    JSON.stringify({ seeds, violations, stalled, scenarios: scenarioCount, mutation, found }),
  );
  const isAsExpected = mutation === null ? failures.length === 0 : failures.length > 0;
  return isAsExpected ? 0 : 1;
}
