import { Stall, Violation } from './checker.ts';
import type { Mutation } from './mutation.ts';
import type { Scenario } from './scenario.ts';
import { type Report, SimWorld } from './world.ts';

const SAFETY_MS = 4000;
/** Healing takes seconds of virtual time, also after the worst that the safety phase can do. */
const LIVENESS_MS = 60_000;

/**
 * Runs one scenario from one seed: a safety phase with faults, then heal, then everything must
 * become final, then silence.
 *
 * @throws Violation, with seed and faults in its message.
 */
export function run(scenario: Scenario, seed: number, mutation?: Mutation): Report {
  const world = new SimWorld(scenario, seed, mutation);
  const safetyMs = scenario.safetyMs ?? SAFETY_MS;
  try {
    world.start(safetyMs);
    world.time.run(safetyMs);
    world.heal();
    const healedMs = world.settle(scenario.livenessMs ?? LIVENESS_MS);
    world.checkLeft();
    world.checkSilence(60_000);
    return {
      levels: world.checker.levels,
      blocks: world.blocksIssued,
      ballots: world.checker.ballots,
      messages: world.messages,
      handOvers: world.checker.handOvers,
      beginnings: world.checker.beginnings,
      falseCuts: world.checker.falseCuts,
      healedMs,
      finalityMs: world.finalityMs,
    };
  } catch (cause) {
    if (!(cause instanceof Error)) throw cause;
    const faults = JSON.stringify(world.faults);
    const where = `${scenario.name}, seed ${seed}, at ${world.time.nowMs.toFixed(1)} ms`;
    const message = `${where}: ${cause.message}\nfaults ${faults}`;
    if (cause instanceof Stall) throw new Stall(message, { cause });
    throw new Violation(message, { cause });
  }
}
