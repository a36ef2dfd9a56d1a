import type { VoteRules } from '../../src/consensus/vote-rules.ts';
import { Violation } from './checker.ts';
import type { Scenario } from './scenario.ts';
import { type Report, SimWorld } from './world.ts';

/**
 * Runs one scenario from one seed: a safety phase with faults, then heal, then everything must
 * become final, then silence.
 *
 * @throws Violation, with seed and faults in its message.
 */
export function run(scenario: Scenario, seed: number, rules?: VoteRules): Report {
  const world = new SimWorld(scenario, seed, rules);
  const safetyMs = scenario.safetyMs ?? 10_000;
  try {
    world.start(safetyMs);
    world.time.run(safetyMs);
    world.heal();
    const healedMs = world.settle(scenario.livenessMs ?? 120_000);
    world.checkSilence(60_000);
    return {
      levels: world.checker.levels,
      blocks: world.blocksIssued,
      ballots: world.checker.ballots,
      messages: world.messages,
      healedMs,
      finalityMs: world.finalityMs,
    };
  } catch (cause) {
    if (!(cause instanceof Error)) throw cause;
    const faults = JSON.stringify(world.faults);
    const where = `${scenario.name}, seed ${seed}, at ${world.time.nowMs.toFixed(1)} ms`;
    const message = `${where}: ${cause.message}\nfaults ${faults}`;
    throw new Violation(message, { cause });
  }
}
