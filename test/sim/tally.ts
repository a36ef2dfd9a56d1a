import { Stall, Violation } from './checker.ts';
import type { MutationName } from './mutation.ts';
import { makeMutation } from './mutation.ts';
import { Prng } from './prng.ts';
import { run } from './run.ts';
import type { Scenario } from './scenario.ts';
import { ALL_SCENARIOS } from './scenarios.ts';

/** What the runs of one scenario came to. */
export interface ScenarioTally {
  runs: number;
  violations: number;
  stalled: number;
  blocks: number;
  levels: number;
  ballots: number;
  messages: number;
}

export interface Failure {
  readonly seed: number;
  readonly scenario: string;
  readonly isStall: boolean;
  readonly message: string;
}

/** Where a mutation shows; the normal policy alone hides broken rules. */
export function scenariosFor(mutation: MutationName | null): readonly Scenario[] {
  if (mutation === null) return ALL_SCENARIOS;
  const shown = { turns: 'censor', cuts: 'cuts-beside-a-cutter', approvals: 'usurper' };
  const found = Object.entries(shown).find(([each]) => each === mutation)?.[1] ?? 'wild-3-owners';
  return ALL_SCENARIOS.filter(({ name }) => name === found);
}

/** Each seed draws its scenario. */
export function drawScenario(seed: number, scenarios: readonly Scenario[]): Scenario {
  return new Prng(seed ^ 0x5eed).pick(scenarios);
}

/** Runs one seed and adds it up. @returns what went wrong, or null. */
export function runSeed(
  tallies: Map<string, ScenarioTally>,
  scenario: Scenario,
  plan: { readonly seed: number; readonly mutation: MutationName | null },
): Failure | null {
  const { name } = scenario;
  const none = {
    runs: 0,
    violations: 0,
    stalled: 0,
    blocks: 0,
    levels: 0,
    ballots: 0,
    messages: 0,
  };
  const tally = tallies.get(name) ?? none;
  tallies.set(name, tally);
  tally.runs++;
  const mutation = plan.mutation === null ? {} : makeMutation(plan.mutation);
  try {
    const report = run(scenario, plan.seed, mutation);
    tally.blocks += report.blocks;
    tally.levels += report.levels;
    tally.ballots += report.ballots;
    tally.messages += report.messages;
    return null;
  } catch (cause) {
    if (!(cause instanceof Violation)) throw cause;
    const isStall = cause instanceof Stall;
    if (isStall) tally.stalled++;
    else tally.violations++;
    return { seed: plan.seed, scenario: name, isStall, message: cause.message };
  }
}
