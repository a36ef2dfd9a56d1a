import { randomInt } from 'node:crypto';
import { afterEach, expect, test } from 'vitest';
import { AnswerError, LateError, UnreachableError } from '../../src/api/client.ts';
import type { AvatarId } from '../../src/model/sync-group.ts';
import { Prng } from '../sim/prng.ts';
import type { AgentProcess } from './agent-process.ts';
import { Ledger } from './ledger.ts';
import { runCommand } from './program.ts';
import {
  findBrokenPromises,
  findForgotten,
  findForks,
  readBallots,
  readTestimony,
} from './testimony.ts';
import { elapse, until } from './waiting.ts';
import { NOTE, notes, World } from './world.ts';

/** More of them, for a longer search. */
const KILLS = Number(process.env['E2E_KILLS'] ?? 15);
const PROGRESS_MAX = 24;
const LIFE_MS_MAX = 1000;
const DEATH_MS_MAX = 500;
/** What no honest owner has to say of another, however often it dies. */
const ALARMS = ['fork', 'equivocation', 'block-refused', 'halted', 'misbehaved', 'disk-refused'];

let world: World;

afterEach(async () => {
  await world?.end();
});

/** The agent was killed while it was asked, or says that it is about to end. */
function isDeath(cause: unknown): boolean {
  return (
    cause instanceof UnreachableError ||
    cause instanceof LateError ||
    (cause instanceof AnswerError && cause.code === 'closed')
  );
}

/** Pushes notes one batch after the other, each until it is said to be final or its agent dies. */
async function pushOn(agent: AgentProcess, ledger: Ledger, ending: AbortSignal): Promise<void> {
  for (let count = 1; !ending.aborted; count += 3) {
    const batch = notes(agent.name, count, count + 2);
    try {
      await agent.push(NOTE, batch, 'final', ending);
      for (const each of batch) ledger.promise(each);
    } catch (cause) {
      if (ending.aborted) return;
      if (!isDeath(cause)) throw cause;
      await until('it is there again', () => ending.aborted || isThere(agent));
    }
  }
}

/** Reads the Finalized Entries from the first on, again from the first whenever the agent died. */
async function followOn(agent: AgentProcess, ledger: Ledger, ending: AbortSignal): Promise<void> {
  while (!ending.aborted) {
    try {
      const range = { from: 1, count: null, follow: true };
      for await (const entry of agent.client.pull(NOTE, range, ending)) {
        ledger.observe(agent.name, entry);
      }
    } catch (cause) {
      if (ending.aborted) return;
      if (!isDeath(cause)) throw cause;
      await until('it is there again', () => ending.aborted || isThere(agent));
    }
  }
}

async function isThere(agent: AgentProcess): Promise<boolean> {
  return agent.isUp && (await agent.status()) !== null;
}

/** A moment in the midst of agreement, or any moment, also one at which somebody only starts. */
async function randomMoment(ledger: Ledger, chance: Prng): Promise<void> {
  if (chance.chance(0.4)) return await elapse(chance.between(0, LIFE_MS_MAX));
  const size = ledger.size + 1 + chance.below(PROGRESS_MAX);
  await until('more becomes final', () => ledger.size >= size);
  await elapse(chance.between(0, 40));
}

/** Kills and starts again, one or two at once; a Ballot that was moved to is never left again. */
async function killOn(
  agents: readonly AgentProcess[],
  ledger: Ledger,
  chance: Prng,
): Promise<void> {
  const ballots = new Map<string, number>();
  for (let kills = 0; kills < KILLS; ) {
    await randomMoment(ledger, chance);
    const victims = chance.shuffle(agents).slice(0, chance.chance(0.25) ? 2 : 1);
    for (const victim of victims) {
      expect(victim.ended, victim.logTail()).toBeNull();
      await victim.kill();
      kills += 1;
      for (const [group, ballot] of readBallots(victim.world.databaseFile)) {
        const key = `${victim.name} ${group}`;
        expect(ballot).toBeGreaterThanOrEqual(ballots.get(key) ?? 0);
        ballots.set(key, ballot);
      }
    }
    await elapse(chance.chance(0.5) ? 0 : chance.between(0, DEATH_MS_MAX));
    for (const victim of victims) victim.start();
  }
}

test(
  'nothing final is lost, nothing certified forgotten, whenever owners are killed',
  async () => {
    const seed = Number(process.env['E2E_SEED'] ?? randomInt(2 ** 32));
    console.log(`crash seed: E2E_SEED=${seed}`);
    world = await World.start({ names: ['ada', 'bert', 'cleo'] });
    const { agents } = world;
    const avatars = new Map<AgentProcess, AvatarId>();
    for (const each of agents) avatars.set(each, (await each.ready()).avatar);
    const ledger = new Ledger();
    const ending = new AbortController();
    const busy = agents.flatMap((each) => [
      pushOn(each, ledger, ending.signal),
      followOn(each, ledger, ending.signal),
    ]);
    await Promise.race([killOn(agents, ledger, new Prng(seed)), ...busy]);
    await Promise.all(agents.map((each) => each.ready()));
    const goal = ledger.size + PROGRESS_MAX;
    await until('they agree on more', () => ledger.size >= goal);
    ending.abort();
    await Promise.all(busy);
    await world.settled(agents, ledger.size);

    for (const each of agents) {
      expect(ledger.faultsOf(each.name, await each.pull(NOTE))).toEqual([]);
      expect((await each.ready()).avatar).toBe(avatars.get(each));
      expect(each.log().filter((line) => ALARMS.includes(line.message))).toEqual([]);
    }
    expect(await world.compare()).toMatchObject({ agree: true, differences: [] });
    for (const each of agents) {
      const verified = await runCommand(['verify', '--home', each.home.folder]);
      expect(verified).toMatchObject({ exit: 0, stderr: '' });
    }
    const testimonies = agents.map((each) =>
      readTestimony(each.world.databaseFile, avatars.get(each)!),
    );
    expect(findBrokenPromises(testimonies)).toEqual([]);
    expect(findForks(testimonies)).toEqual([]);
    expect(findForgotten(testimonies)).toEqual([]);
  },
  60_000 + KILLS * 4_000,
);
