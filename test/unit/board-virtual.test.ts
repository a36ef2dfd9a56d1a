import { describe, expect, test } from 'vitest';
import { chooseProfile } from '../../src/hardware/board-profiles.ts';
import { LineBoard } from '../../src/hardware/line-board.ts';
import type { Reservations } from '../../src/hardware/line-driver.ts';
import { VirtualDriver } from '../../src/hardware/virtual-driver.ts';
import { BoardError } from '../../src/ports/board.ts';
import { describeBoards } from '../contract/board.ts';
import { VirtualTime } from './virtual-time.ts';

const profile = chooseProfile('virtual');
const turns = () => new Promise((done) => setImmediate(done));

function stage(reservations: Reservations | null = null) {
  const time = new VirtualTime();
  const driver = new VirtualDriver(profile);
  return { time, driver, board: new LineBoard({ profile, driver, timers: time, reservations }) };
}

describeBoards({
  name: 'virtual',
  open: async () => {
    const { time, driver, board } = stage();
    return {
      board,
      drive: (pin, isHigh) => driver.drive(pin.line, isHigh),
      stateOf: (pin) => {
        const state = driver.stateOf(pin.line);
        if (state === 'low' || state === 'high' || state === 'floating') return state;
        throw new Error(`${pin.name} does PWM`);
      },
      pass: async (ms) => {
        await turns();
        time.pass(ms);
        await turns();
      },
      end: async () => undefined,
    };
  },
});

const OUTPUT = { owner: 'device fan', isHigh: true, safe: 'low' } as const;
const INPUT = { owner: 'device door', bias: 'none', edges: 'both', debounceMs: 0 } as const;
const PWM = { owner: 'device lamp', frequencyHz: 1000, duty: 0.25, safeDuty: 0 };

describe('the virtual board', () => {
  test('remembers every state of an output, the safe one before its release', async () => {
    const { driver, board } = stage();
    const line = await board.openOutput('GPIO17', OUTPUT);
    line.write(false);
    line.write(true);
    await line.release();
    expect(driver.history).toEqual(
      ['high', 'low', 'high', 'low', 'floating'].map((state) => ({ line: 17, state })),
    );
  });

  test('forgets the oldest of a long history', async () => {
    const { driver, board } = stage();
    const line = await board.openOutput('GPIO17', OUTPUT);
    for (let count = 0; count < 5000; count++) line.write(count % 2 === 1);
    expect(driver.history).toHaveLength(4096);
  });

  test('carries levels along a wire', async () => {
    const { driver, board } = stage();
    driver.wire(17, 22);
    const output = await board.openOutput('GPIO17', { ...OUTPUT, isHigh: false });
    const input = await board.openInput('GPIO22', { ...INPUT, bias: 'up' });
    expect(input.read()).toBe(false);
    output.write(true);
    expect(input.read()).toBe(true);
    output.write(false);
    await output.release();
    expect(input.read()).toBe(true);
  });

  test('does PWM, and two pins of one channel have one owner', async () => {
    const { driver, board } = stage();
    const line = await board.openPwm('GPIO12', PWM);
    expect(driver.stateOf(12)).toBe('duty 0.25');
    line.write(1);
    expect(driver.stateOf(12)).toBe('duty 1');
    expect(() => line.write(Number.NaN)).toThrow(/0 to 1/);
    const other = board.openPwm('GPIO18', { ...PWM, owner: 'device motor' });
    await expect(other).rejects.toMatchObject({
      code: 'BOARD_PIN_HELD',
      message: expect.stringMatching(/GPIO18 shares its PWM channel with GPIO12.*device lamp/),
    });
    // As plain outputs they have nothing in common.
    await board.openOutput('GPIO18', OUTPUT);
    board.secure();
    expect(driver.stateOf(12)).toBe('duty 0');
    await board.close();
    expect(driver.stateOf(12)).toBe('floating');
  });

  test('frees a pin that could not be opened', async () => {
    const { driver, board } = stage();
    driver.fail(17, new Error('smoke'));
    await expect(board.openOutput('GPIO17', OUTPUT)).rejects.toThrow(/GPIO17: smoke/);
    expect(board.claims()).toEqual([]);
    driver.fail(17, null);
    await board.openOutput('GPIO17', OUTPUT);
  });

  test('sets every other output to its safe state when one fails, and says which', async () => {
    const { driver, board } = stage();
    for (const pin of ['GPIO17', 'GPIO22', 'GPIO27']) await board.openOutput(pin, OUTPUT);
    driver.fail(22, new Error('smoke'));
    const failed = { code: 'BOARD_FAILED', message: expect.stringContaining('GPIO22: smoke') };
    expect(() => board.secure()).toThrow(expect.objectContaining(failed));
    expect([17, 22, 27].map((line) => driver.stateOf(line))).toEqual(['low', 'high', 'low']);
    await expect(board.close()).rejects.toMatchObject(failed);
    expect(board.claims()).toEqual([]);
  });

  test('keeps a pin from other processes while it has it', async () => {
    const events: string[] = [];
    const { board } = stage({
      reserve: async (key, owner) => {
        if (key.includes('GPIO27')) throw new BoardError('BOARD_PIN_HELD', 'held elsewhere');
        events.push(`${owner} has ${key}`);
        return async () => void events.push(`${owner} gave ${key} back`);
      },
    });
    const line = await board.openOutput('GPIO17', OUTPUT);
    await line.release();
    expect(events).toEqual([
      'device fan has virtual GPIO17',
      'device fan gave virtual GPIO17 back',
    ]);
    await expect(board.openOutput('GPIO27', OUTPUT)).rejects.toThrow(/held elsewhere/);
    expect(board.claims()).toEqual([]);
  });

  test('leaves nothing open when it is closed amid an opening', async () => {
    let goOn = (): void => undefined;
    const waiting = new Promise<void>((done) => {
      goOn = done;
    });
    const { driver, board } = stage({
      reserve: async () => {
        await waiting;
        return async () => undefined;
      },
    });
    const opening = board.openOutput('GPIO17', OUTPUT);
    const refused = expect(opening).rejects.toMatchObject({ code: 'BOARD_RELEASED' });
    await board.close();
    goOn();
    await refused;
    expect(driver.stateOf(17)).toBe('floating');
    expect(board.claims()).toEqual([]);
  });
});
