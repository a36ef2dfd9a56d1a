import { beforeEach, describe, expect, it } from 'vitest';
import { accept, refuse, type Verdict } from '../../src/model/verdict.ts';
import { BehaviorLoader, PAUSE_MS, TRIALS_MAX } from '../../src/participant/behavior-loader.ts';
import type { LoadedBehavior, LoadRefusal } from '../../src/ports/sandbox.ts';
import { behaviorOf } from './behavior-samples.ts';

const behavior = behaviorOf('code');
const { id } = behavior;
const loaded = accept({ behavior, canUndo: false, declared: null });

let nowMs: number;
let trials: number;
let lines: unknown[];
let answer: Verdict<LoadedBehavior, LoadRefusal>;
let loader: BehaviorLoader;

beforeEach(() => {
  nowMs = 5;
  trials = 0;
  lines = [];
  loader = new BehaviorLoader({
    nowMs: () => nowMs,
    log: { warn: (message, fields) => lines.push([message, fields]) },
    sandbox: {
      load: async () => {
        trials++;
        return answer;
      },
    },
  });
});

const load = () => loader.load(id, () => behavior);

/** Lets the pause go by and loads again. @returns the pauses that there were. */
async function tryAgain(times: number): Promise<number[]> {
  const pauses: number[] = [];
  for (let time = 0; time < times; time++) {
    await load();
    pauses.push(loader.pauseMs(id));
    nowMs += loader.pauseMs(id);
  }
  return pauses;
}

describe('a Behavior that does not load', () => {
  it('is tried again after pauses that double up to a minute, and said once', async () => {
    answer = refuse('not-available', 'quickjs-wasi is not installed');
    expect(await tryAgain(9)).toEqual([
      1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000,
    ]);
    expect(trials).toBe(9);
    expect(lines).toEqual([
      ['behavior-refused', expect.objectContaining({ reason: answer.reason })],
    ]);
    expect(loader.troubleOf(id)).toBe('not-available: quickjs-wasi is not installed');
    expect(await load()).toEqual({ kind: 'later' });
  });

  it('is not tried before its pause is over, however many ask', async () => {
    answer = refuse('not-available');
    await Promise.all([load(), load(), load()]);
    nowMs += PAUSE_MS.first - 1;
    expect(await load()).toEqual({ kind: 'later' });
    expect(trials).toBe(1);
    nowMs += 1;
    await load();
    expect(trials).toBe(2);
  });

  it('for its code is refused for good after some trials, with the reason', async () => {
    answer = refuse('not-code', 'line 1');
    await tryAgain(TRIALS_MAX - 1);
    expect(await load()).toEqual({ kind: 'never', reason: 'not-code: line 1' });
    expect(await load()).toEqual({ kind: 'never', reason: 'not-code: line 1' });
    expect(trials).toBe(TRIALS_MAX);
    expect(lines).toEqual([
      ['behavior-refused', { behavior: behavior.name, reason: 'not-code', detail: 'line 1' }],
      ['behavior-refused', expect.objectContaining({ trials: TRIALS_MAX })],
    ]);
  });

  it('for one reason and then another begins anew, and says both', async () => {
    answer = refuse('not-available');
    await tryAgain(TRIALS_MAX);
    answer = refuse('not-code');
    expect(await load()).toEqual({ kind: 'later' });
    expect(loader.pauseMs(id)).toBe(PAUSE_MS.first);
    expect(lines.length).toBe(2);
  });

  it('is as any other once it loads', async () => {
    answer = refuse('not-available');
    await tryAgain(3);
    answer = loaded;
    expect(await load()).toMatchObject({ kind: 'loaded', behavior: { behavior } });
    expect([loader.pauseMs(id), loader.troubleOf(id)]).toEqual([0, null]);
  });

  it('whose code is not here is asked for later, and nothing is said', async () => {
    expect(await loader.load(id, () => null)).toEqual({ kind: 'later' });
    expect([trials, lines]).toEqual([0, []]);
  });
});
