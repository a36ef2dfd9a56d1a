import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Board, Edge, InputOptions, OutputOptions, Pin } from '../../src/ports/board.ts';

/** A board and the world outside of it. */
export interface BoardStage {
  readonly board: Board;
  /** Somebody outside sets the level at a pin. */
  drive(pin: Pin, isHigh: boolean): void;
  /** What the board drives at a pin. */
  stateOf(pin: Pin): 'low' | 'high' | 'floating';
  /** Lets so much time pass as the board sees it. */
  pass(ms: number): Promise<void>;
  end(): Promise<void>;
}

export interface BoardKind {
  readonly name: string;
  open(): Promise<BoardStage>;
}

const INPUT: InputOptions = { owner: 'a test', bias: 'none', edges: 'both', debounceMs: 0 };
const OUTPUT: OutputOptions = { owner: 'a test', isHigh: false, safe: 'low' };

/** The same laws for every board, whatever is behind it. */
export function describeBoards(kind: BoardKind): void {
  describe(`pins of a ${kind.name} board`, () => {
    let stage: BoardStage;
    let board: Board;

    beforeEach(async () => {
      stage = await kind.open();
      board = stage.board;
    });
    afterEach(async () => {
      await board.close();
      await stage.end();
    });

    /** Resolves when so many edges were heard. */
    async function edgesOf(edges: readonly Edge[], count: number): Promise<void> {
      while (edges.length < count) await stage.pass(1);
    }

    it('have one name each, however they are asked for', () => {
      const pin = board.resolve('GPIO17');
      expect(pin).toEqual({ name: 'GPIO17', line: 17, place: 'J8:11' });
      expect(board.resolve('J8:11')).toEqual(pin);
      expect(board.resolve('gpio17')).toEqual(pin);
    });

    it.each([
      ['GPIO99', 'BOARD_PIN_UNKNOWN'],
      ['J8:41', 'BOARD_PIN_UNKNOWN'],
      ['J9:11', 'BOARD_PIN_UNKNOWN'],
      ['17', 'BOARD_PIN_UNKNOWN'],
      ['', 'BOARD_PIN_UNKNOWN'],
      ['J8:1', 'BOARD_PIN_NOT_GPIO'],
      ['J8:6', 'BOARD_PIN_NOT_GPIO'],
    ])('are refused by a wrong name %s, and a right one is shown', async (name, code) => {
      await expect(board.openInput(name, INPUT)).rejects.toMatchObject({
        code,
        message: expect.stringMatching(/Take GPIO\d+ to GPIO27, or a place such as J8:\d+\./),
      });
      expect(board.claims()).toEqual([]);
    });

    it('begin as outputs with the level that was asked for', async () => {
      const low = await board.openOutput('GPIO17', OUTPUT);
      expect(stage.stateOf(low.pin)).toBe('low');
      const high = await board.openOutput('GPIO27', { ...OUTPUT, isHigh: true });
      expect(stage.stateOf(high.pin)).toBe('high');
      expect([low.read(), high.read()]).toEqual([false, true]);
    });

    it('drive nothing where they begin so, until they are written to', async () => {
      const line = await board.openOutput('GPIO17', { ...OUTPUT, isHigh: null, safe: 'input' });
      expect(stage.stateOf(line.pin)).toBe('floating');
      line.write(true);
      expect(stage.stateOf(line.pin)).toBe('high');
      line.secure();
      expect(stage.stateOf(line.pin)).toBe('floating');
      line.write(false);
      expect(stage.stateOf(line.pin)).toBe('low');
    });

    it('show what is written', async () => {
      const line = await board.openOutput('GPIO17', OUTPUT);
      for (const isHigh of [true, false, false, true]) {
        line.write(isHigh);
        expect(stage.stateOf(line.pin)).toBe(isHigh ? 'high' : 'low');
        expect(line.read()).toBe(isHigh);
      }
    });

    it('read what is outside', async () => {
      const pin = board.resolve('GPIO22');
      stage.drive(pin, true);
      const line = await board.openInput('GPIO22', INPUT);
      expect(line.read()).toBe(true);
      stage.drive(pin, false);
      expect(line.read()).toBe(false);
    });

    it('report each lasting edge once, in order, with a number', async () => {
      const line = await board.openInput('GPIO22', INPUT);
      const edges: Edge[] = [];
      line.onEdge((edge) => edges.push(edge));
      const start = line.read();
      for (let count = 1; count <= 6; count++) {
        stage.drive(line.pin, count % 2 === 1 ? !start : start);
        await edgesOf(edges, count);
      }
      expect(edges.map(({ isHigh }) => isHigh)).toEqual(
        Array.from({ length: 6 }, (_, index) => (index % 2 === 0 ? !start : start)),
      );
      expect(edges.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4, 5, 6]);
      expect(edges.every(({ atMs }, index) => atMs >= (edges[index - 1]?.atMs ?? 0))).toBe(true);
    });

    it.each([
      ['rising', true],
      ['falling', false],
    ] as const)('report only %s edges where only these are asked for', async (edges, isHigh) => {
      const pin = board.resolve('GPIO22');
      stage.drive(pin, false);
      const line = await board.openInput('GPIO22', { ...INPUT, edges });
      const heard: Edge[] = [];
      line.onEdge((edge) => heard.push(edge));
      for (let turn = 1; turn <= 2; turn++) {
        for (const level of [true, false]) {
          stage.drive(pin, level);
          if (level === isHigh) await edgesOf(heard, turn);
          else await stage.pass(20);
        }
      }
      expect(heard.map((edge) => edge.isHigh)).toEqual([isHigh, isHigh]);
    });

    it('tell nobody who stopped listening', async () => {
      const line = await board.openInput('GPIO22', INPUT);
      const [stopped, heard]: [Edge[], Edge[]] = [[], []];
      const stop = line.onEdge((edge) => stopped.push(edge));
      line.onEdge((edge) => heard.push(edge));
      stop();
      stage.drive(line.pin, !line.read());
      await edgesOf(heard, 1);
      expect(stopped).toEqual([]);
    });

    it('report a level that lasts, and no bounce before it', async () => {
      const pin = board.resolve('GPIO22');
      stage.drive(pin, false);
      const line = await board.openInput('GPIO22', { ...INPUT, debounceMs: 50 });
      const edges: Edge[] = [];
      line.onEdge((edge) => edges.push(edge));
      for (let bounce = 0; bounce < 5; bounce++) {
        stage.drive(pin, true);
        stage.drive(pin, false);
      }
      stage.drive(pin, true);
      await edgesOf(edges, 1);
      await stage.pass(120);
      expect(edges.map(({ isHigh }) => isHigh)).toEqual([true]);
    });

    it('have one owner at a time, and the refusal names who it is', async () => {
      const first = await board.openOutput('GPIO17', { ...OUTPUT, owner: 'device fan' });
      const second = board.openInput('J8:11', { ...INPUT, owner: 'device door' });
      await expect(second).rejects.toMatchObject({
        code: 'BOARD_PIN_HELD',
        message: expect.stringMatching(/GPIO17 is held by device fan.*device door cannot have it/),
      });
      expect(board.claims()).toEqual([{ pin: 'GPIO17', owner: 'device fan', use: 'output' }]);
      await first.release();
      expect(board.claims()).toEqual([]);
      const third = await board.openInput('GPIO17', { ...INPUT, owner: 'device door' });
      expect(third.pin.name).toBe('GPIO17');
    });

    it('are refused to the second of two who ask at once', async () => {
      const both = await Promise.allSettled([
        board.openOutput('GPIO17', OUTPUT),
        board.openOutput('GPIO17', OUTPUT),
      ]);
      expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    });

    it('can do nothing any more after their release', async () => {
      const input = await board.openInput('GPIO22', INPUT);
      const output = await board.openOutput('GPIO17', OUTPUT);
      await Promise.all([input.release(), output.release(), output.release()]);
      for (const act of [
        () => input.read(),
        () => input.onEdge(() => undefined),
        () => output.read(),
        () => output.write(true),
      ]) {
        expect(act).toThrow(expect.objectContaining({ code: 'BOARD_RELEASED' }));
      }
    });

    it('go to their safe states when told, and go on from there', async () => {
      const safe = { ...OUTPUT, isHigh: true };
      const low = await board.openOutput('GPIO17', safe);
      const high = await board.openOutput('GPIO27', { ...OUTPUT, safe: 'high' });
      const input = await board.openOutput('GPIO23', { ...safe, safe: 'input' });
      board.secure();
      expect([low, high, input].map(({ pin }) => stage.stateOf(pin))).toEqual([
        'low',
        'high',
        'floating',
      ]);
      for (const line of [low, high, input]) {
        line.write(true);
        expect(stage.stateOf(line.pin)).toBe('high');
      }
    });

    it('can not be had from a board that was closed', async () => {
      const line = await board.openOutput('GPIO17', { ...OUTPUT, isHigh: true });
      await board.close();
      await board.close();
      expect(board.claims()).toEqual([]);
      expect(() => line.write(true)).toThrow();
      await expect(board.openOutput('GPIO17', OUTPUT)).rejects.toMatchObject({
        code: 'BOARD_RELEASED',
      });
    });

    it('refuse what cannot be asked for', async () => {
      const late = board.openInput('GPIO22', { ...INPUT, debounceMs: 60_001 });
      await expect(late).rejects.toMatchObject({ code: 'BOARD_VALUE' });
      const pwm = { owner: 'a test', frequencyHz: 50, duty: 0, safeDuty: 0 };
      await expect(board.openPwm('GPIO17', pwm)).rejects.toMatchObject({
        code: 'BOARD_UNSUPPORTED',
        message: expect.stringContaining('GPIO12'),
      });
      const much = board.openPwm('GPIO12', { ...pwm, duty: 1.01 });
      await expect(much).rejects.toMatchObject({ code: 'BOARD_VALUE' });
      expect(board.claims()).toEqual([]);
    });

    it('are pulled only where the board says that it can', async () => {
      const opening = board.openInput('GPIO22', { ...INPUT, bias: 'up' });
      const asked = opening.then((line) => line.read());
      if (board.capabilities.bias) expect(await asked).toBe(true);
      else await expect(asked).rejects.toMatchObject({ code: 'BOARD_UNSUPPORTED' });
    });
  });
}
