import { describe, expect, it } from 'vitest';
import { Alarm } from '../../src/gossip/alarm.ts';
import { Pulse } from '../../src/gossip/pulse.ts';
import { SeededRandom, Stage } from './gossip-stage.ts';

function beating(settings = { pingMs: 30_000, digestMs: 30_000, missedPingsMax: 3 }) {
  const stage = new Stage();
  const tokens: (number | null)[] = [];
  let deaths = 0;
  const pulse = new Pulse(
    { timers: stage, random: new SeededRandom(1), settings },
    {
      beat: (token) => tokens.push(token),
      dead: () => {
        deaths += 1;
      },
    },
  );
  return { stage, pulse, tokens, deaths: () => deaths };
}

describe('the pulse of a link', () => {
  it('asks at once, then at every interval, a little early', async () => {
    const { stage, pulse, tokens } = beating();
    pulse.start();
    expect(tokens).toEqual([1]);
    for (let minute = 0; minute < 10; minute++) {
      pulse.heard();
      await stage.advance(60_000);
      pulse.heard();
    }
    expect(tokens.length).toBeGreaterThanOrEqual(20);
    expect(tokens.length).toBeLessThanOrEqual(27);
  });

  it('is dead after as many pings without a sign of life as may be missed', async () => {
    const { stage, pulse, deaths } = beating();
    pulse.start();
    await stage.advance(90_000 * 0.8 - 1);
    expect(deaths()).toBe(0);
    await stage.advance(50_000);
    expect(deaths()).toBe(1);
    await stage.advance(500_000);
    expect(deaths()).toBe(1);
  });

  it('counts from anew at every sign of life, whatever it is', async () => {
    const { stage, pulse, deaths } = beating();
    pulse.start();
    for (let beat = 0; beat < 20; beat++) {
      await stage.advance(55_000);
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

  it('smooths the round trip as RFC 6298 does, and takes no answer twice', async () => {
    const { stage, pulse, tokens } = beating();
    pulse.start();
    await stage.advance(80);
    pulse.answered(7);
    expect(pulse.roundTripMs).toBeNull();
    pulse.answered(tokens.at(-1)!);
    expect(pulse.roundTripMs).toBe(80);
    await stage.advance(500);
    pulse.answered(tokens.at(-1)!);
    expect(pulse.roundTripMs).toBe(80);
    const before = tokens.length;
    await stage.until(() => tokens.length > before, 60_000, 1);
    await stage.advance(159);
    pulse.answered(tokens.at(-1)!);
    expect(pulse.roundTripMs).toBeCloseTo(80 + (160 - 80) / 8, 0);
  });

  it('gives a beat without a ping where other things are said more often', async () => {
    const { stage, pulse, tokens } = beating({
      pingMs: 30_000,
      digestMs: 5_000,
      missedPingsMax: 3,
    });
    pulse.start();
    await stage.advance(20_000);
    expect(tokens.length).toBeGreaterThanOrEqual(4);
    expect(tokens.slice(1).every((each) => each === null)).toBe(true);
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
