import { describe, expect, it } from 'vitest';
import { Alarm } from '../../src/gossip/alarm.ts';
import { Pulse } from '../../src/gossip/pulse.ts';
import { SeededRandom, Stage } from './gossip-stage.ts';

function beating(
  settings = { pingMs: 30_000, digestMs: 30_000, missedPingsMax: 3 },
  { stage = new Stage(), standBys = [] as Pulse[], bytesPerSecond = null as number | null } = {},
) {
  const rhythm = { firstPingMs: 1_000, busyPingMs: 4_000, standByMs: 15_000 };
  const pace = { ...settings, ...rhythm, bytesPerSecond };
  const tokens: (number | null)[] = [];
  let deaths = 0;
  const pulse = new Pulse(
    { timers: stage, random: new SeededRandom(1), pace },
    {
      beat: (token) => tokens.push(token),
      dead: () => {
        deaths += 1;
      },
      standBys: () => standBys,
    },
  );
  return { stage, pulse, tokens, deaths: () => deaths };
}

describe('the pulse of a link', () => {
  it('asks at once and soon again, then less and less often, up to the interval', async () => {
    const { stage, pulse, tokens } = beating();
    pulse.start();
    const counts: number[] = [];
    for (let seconds = 0; seconds < 60; seconds += 10) {
      for (let step = 0; step < 100; step++) {
        await stage.advance(100);
        pulse.answered(tokens.at(-1) ?? 0);
      }
      counts.push(tokens.length);
    }
    expect(counts[0]).toBeGreaterThanOrEqual(4);
    expect(counts[5]).toBeLessThanOrEqual(8);
    const before = tokens.length;
    for (let minute = 0; minute < 10; minute++) {
      pulse.heard();
      pulse.answered(tokens.at(-1) ?? 0);
      await stage.advance(60_000);
    }
    expect(tokens.length - before).toBeGreaterThanOrEqual(20);
    expect(tokens.length - before).toBeLessThanOrEqual(26);
  });

  it('asks more often while the link is in use', async () => {
    const { stage, pulse, tokens } = beating();
    pulse.start();
    await stage.advance(80_000);
    const before = tokens.length;
    for (let second = 0; second < 60; second++) {
      for (let frame = 0; frame < 20; frame++) pulse.heard();
      pulse.answered(tokens.at(-1) ?? 0);
      await stage.advance(1_000);
    }
    expect(tokens.length - before).toBeGreaterThanOrEqual(12);
  });

  it('is dead after as many intervals without a sign of life as may be missed', async () => {
    const { stage, pulse, deaths } = beating();
    pulse.start();
    await stage.advance(90_000 - 1);
    expect(deaths()).toBe(0);
    await stage.advance(30_001);
    expect(deaths()).toBe(1);
    await stage.advance(500_000);
    expect(deaths()).toBe(1);
  });

  it('counts from anew at every sign of life, whatever it is', async () => {
    const { stage, pulse, deaths } = beating();
    pulse.start();
    for (let beat = 0; beat < 20; beat++) {
      await stage.advance(85_000);
      pulse.heard();
    }
    expect(deaths()).toBe(0);
  });

  it('does not take its own silence for that of the other end', async () => {
    const { stage, pulse, deaths } = beating();
    pulse.start();
    pulse.hold();
    await stage.advance(1_000_000);
    pulse.release();
    await stage.advance(30_000);
    expect(deaths()).toBe(0);
  });

  it('takes the mean of the first round trips, then smooths as RFC 6298 does', async () => {
    const { stage, pulse, tokens } = beating();
    /** One ping, answered after so long. */
    const answerAfter = async (delayMs: number) => {
      const before = tokens.length;
      if (before === 0) pulse.start();
      else await stage.until(() => tokens.length > before, 60_000, 1);
      const atMs = stage.monotonicMs();
      await stage.advance(delayMs);
      pulse.heard();
      pulse.answered(tokens.at(-1)!);
      return stage.monotonicMs() - atMs;
    };
    pulse.answered(7);
    expect(pulse.roundTripMs).toBeNull();
    await answerAfter(80);
    expect(pulse.roundTripMs).toBe(80);
    await stage.advance(50);
    pulse.answered(tokens.at(-1)!);
    expect(pulse.roundTripMs).toBe(80);
    await answerAfter(20);
    expect(pulse.roundTripMs).toBeCloseTo(50, -1);
    for (let count = 0; count < 6; count++) await answerAfter(50);
    expect(pulse.roundTripMs).toBeCloseTo(50, -1);
    await answerAfter(850);
    expect(pulse.roundTripMs).toBeCloseTo(50 + 800 / 8, -1);
  });

  it('waits for an answer that takes longer than the next beat', async () => {
    const { stage, pulse, tokens } = beating();
    pulse.start();
    await stage.advance(5_000);
    expect(tokens.filter((each) => each !== null)).toEqual([1]);
    pulse.answered(1);
    expect(pulse.roundTripMs).toBe(5_000);
  });

  it('beats as often as anything is to be said, where that is more often', async () => {
    const { stage, pulse, tokens } = beating({
      pingMs: 30_000,
      digestMs: 5_000,
      missedPingsMax: 3,
    });
    pulse.start();
    await stage.advance(60_000);
    expect(tokens.length).toBeGreaterThanOrEqual(12);
  });

  it('stops when told to', async () => {
    const { stage, pulse, tokens } = beating();
    pulse.start();
    pulse.start();
    pulse.stop();
    await stage.advance(600_000);
    expect(tokens).toEqual([1]);
  });
});

/** A pulse in use, and one that stands by; each hears what a test lets it hear. */
function backed(bytesPerSecond: number | null = null) {
  const stage = new Stage();
  const idle = beating(undefined, { stage });
  const used = beating(undefined, { stage, standBys: [idle.pulse], bytesPerSecond });
  used.pulse.start();
  idle.pulse.start();
  const alive = async (forMs: number, who: readonly ReturnType<typeof beating>[]) => {
    for (let passedMs = 0; passedMs < forMs; passedMs += 100) {
      await stage.advance(100);
      for (const { pulse, tokens } of who) {
        const asked = tokens.filter((each) => each !== null).at(-1);
        if (asked === undefined || asked === null) continue;
        pulse.answered(asked);
        if (asked !== answered.get(pulse)) pulse.heard();
        answered.set(pulse, asked);
      }
    }
  };
  const answered = new Map<Pulse, number>();
  return { stage, idle, used, alive };
}

describe('the pulse of a link beside one that stands by', () => {
  it('gives way soon when it is silent and the other is not', async () => {
    const { idle, used, alive } = backed();
    await alive(120_000, [used, idle]);
    expect([used.deaths(), idle.deaths()]).toEqual([0, 0]);
    await alive(10_000, [idle]);
    expect(used.deaths()).toBe(0);
    await alive(12_000, [idle]);
    expect([used.deaths(), idle.deaths()]).toEqual([1, 0]);
  });

  it('goes on where the other is silent as well, or nothing was heard for a while', async () => {
    const { stage, used, idle, alive } = backed();
    await alive(120_000, [used, idle]);
    await stage.advance(60_000);
    expect(used.deaths()).toBe(0);
  });

  it('goes on where signs of life are dear', async () => {
    const { used, idle, alive } = backed(960);
    await alive(30_000, [used, idle]);
    await alive(60_000, [idle]);
    expect(used.deaths()).toBe(0);
  });

  it('is asked soon when the other has come, and not at all before it began', async () => {
    const standBys: Pulse[] = [];
    const { stage, pulse, tokens } = beating(undefined, { standBys });
    pulse.quicken();
    expect(tokens).toEqual([]);
    pulse.start();
    for (let second = 0; second < 100; second++) {
      await stage.advance(1_000);
      pulse.heard();
      pulse.answered(tokens.at(-1) ?? 0);
    }
    const before = tokens.length;
    pulse.quicken();
    expect(tokens.length).toBe(before);
    standBys.push(beating(undefined, { stage }).pulse);
    pulse.quicken();
    expect(tokens.length).toBe(before + 1);
  });
});

describe('an alarm', () => {
  it('rings at the earliest time asked for, with one timer', async () => {
    const stage = new Stage();
    const rings: number[] = [];
    const startMs = stage.monotonicMs();
    const alarm = new Alarm(stage, (nowMs) => rings.push(nowMs - startMs));
    alarm.at(startMs + 500);
    alarm.at(startMs + 900);
    alarm.at(startMs + 200);
    await stage.advance(1_000);
    expect(rings).toEqual([200]);
    alarm.at(startMs);
    await stage.advance(10);
    expect(rings).toEqual([200, 1_001]);
    alarm.at(stage.monotonicMs() + 5);
    alarm.stop();
    await stage.advance(10);
    expect(rings.length).toBe(2);
  });
});
