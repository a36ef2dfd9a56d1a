import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Behavior } from '../../src/model/behavior.ts';
import type {
  BehaviorCall,
  BehaviorHost,
  BehaviorOutcome,
  JsonRecord,
  Sandbox,
} from '../../src/ports/sandbox.ts';
import { idOf } from '../unit/behavior-samples.ts';

/** The Behaviors of one kind of code; what each does is said by its name. */
export interface BehaviorKindStage {
  readonly name: string;
  /** Another one each time: nothing is shared but the code. */
  open(): Sandbox;
  behavior(name: BehaviorSample): Behavior;
}

/**
 * `double`: logs the Entry's `name`; produces its `celsius` twice and thrice as `{ celsius }` of
 * `order`; sets the state to `{ n: n + 1 }`; can undo, and then produces `{ celsius: -1 }`.
 * `memory`: counts in a variable of its own and produces what it counted.
 * `ask`: queries `stock` where `name` is `bolt`, produces `{ celsius: rows * 10 }`.
 * `stranger`: produces an Entry of `secret`, and catches the refusal: produces `{ celsius: 7 }`.
 * `refused`: produces; where the host refuses it logs why and goes on to its end.
 * `failing`: produces `{ celsius: 1 }`, then fails: `out of stock`.
 * `endless`, `bomb`, `deep`: a loop, an allocation, a recursion without an end.
 * `throwing`: traps or throws with the text `broken on purpose`.
 * `big`: produces without an end.
 * `chance`: produces `{ celsius: random }` twice, and `{ celsius: at }`.
 * `device`: sets the device `fan` to true, gets `probe`, then sets `probe` to 1.
 * `strangedevice`: gets the device `door`, which it does not declare.
 */
export type BehaviorSample =
  | 'double'
  | 'memory'
  | 'ask'
  | 'stranger'
  | 'refused'
  | 'failing'
  | 'endless'
  | 'bomb'
  | 'deep'
  | 'throwing'
  | 'big'
  | 'chance'
  | 'device'
  | 'strangedevice';

export const CALL: BehaviorCall = {
  purpose: 'run',
  entry: { celsius: 21.5, name: 'ünï"\\\n\u0001' },
  pact: 'reading',
  state: null,
  invocation: idOf(0xaa),
  step: 3,
  at: 1_700_000_000_123,
  seed: idOf(0x5a),
};

/** A host that notes what it is asked for, and answers from a script. */
export class NotingHost implements BehaviorHost {
  readonly asked: unknown[] = [];
  rows: readonly JsonRecord[] = [];
  refusal: string | null = null;
  onDevice: () => Promise<void> = () => Promise.resolve();

  async query(...request: unknown[]) {
    this.asked.push(['query', ...request]);
    return { ok: true as const, value: this.rows };
  }

  produce(pact: { readonly name: string }, entry: JsonRecord) {
    this.asked.push(['produce', pact.name, entry]);
    if (this.refusal !== null) return { ok: false as const, message: this.refusal };
    return { ok: true as const, value: null };
  }

  async device(...request: unknown[]) {
    this.asked.push(['device', ...request]);
    await this.onDevice();
    return { ok: true as const, value: { isHigh: true } };
  }
}

const entriesOf = (outcome: BehaviorOutcome) =>
  outcome.kind === 'broken'
    ? outcome
    : outcome.produced.map(({ pact, entry }) => [pact.name, entry]);
const textOf = (state: Uint8Array | null) =>
  state === null ? null : JSON.parse(Buffer.from(state).toString('utf8'));

/** The same laws for every kind of code. */
export function describeSandboxes(kind: BehaviorKindStage): void {
  describe(`a sandbox with ${kind.name}`, () => {
    let sandbox: Sandbox;
    beforeAll(() => {
      sandbox = kind.open();
    });
    afterAll(() => sandbox.close());

    async function load(name: BehaviorSample, of: Sandbox = sandbox) {
      const loaded = await of.load(kind.behavior(name));
      if (!loaded.ok) throw new Error(`${loaded.reason}: ${loaded.detail}`);
      return loaded.value;
    }
    async function run(
      name: BehaviorSample,
      call: Partial<BehaviorCall> = {},
      host = new NotingHost(),
    ) {
      return sandbox.run(await load(name), { ...CALL, ...call }, host);
    }

    it('hands the Entry in and what is produced out, in order, with the state', async () => {
      const first = await run('double');
      expect(first).toMatchObject({ kind: 'done', log: ['ünï"\\\n\u0001'] });
      expect(entriesOf(first)).toEqual([
        ['order', { celsius: 43 }],
        ['order', { celsius: 64.5 }],
      ]);
      const state = first.kind === 'done' ? first.state : null;
      expect(textOf(state)).toEqual({ n: 1 });
      const second = await run('double', { state });
      expect(second.kind === 'done' && textOf(second.state)).toEqual({ n: 2 });
    });

    it('undoes what can be undone, and says so when it is loaded', async () => {
      expect((await load('double')).canUndo).toBe(true);
      expect((await load('ask')).canUndo).toBe(false);
      const undone = await run('double', { purpose: 'undo' });
      expect(entriesOf(undone)).toEqual([['order', { celsius: -1 }]]);
      expect(await run('ask', { purpose: 'undo' })).toMatchObject({ kind: 'broken' });
    });

    it('asks the host only for what is declared, at the state of the call', async () => {
      const host = new NotingHost();
      host.rows = [{ name: 'bolt' }, { name: 'bolt', count: 3 }];
      expect(entriesOf(await run('ask', {}, host))).toEqual([['order', { celsius: 20 }]]);
      const query = { where: { name: 'bolt' }, limit: 5, order: 'newest' };
      expect(host.asked[0]).toEqual(['query', { name: 'stock', pact: idOf(2) }, query]);
    });

    it('refuses what is not declared without asking, and the code may go on', async () => {
      const host = new NotingHost();
      expect(entriesOf(await run('stranger', {}, host))).toEqual([['order', { celsius: 7 }]]);
      expect(host.asked).toEqual([['produce', 'order', { celsius: 7 }]]);
    });

    it('tells the code why an Entry is refused, and leaves it out', async () => {
      const host = new NotingHost();
      host.refusal = 'celsius is above 100';
      const outcome = await run('refused', {}, host);
      expect(outcome).toMatchObject({ kind: 'done', produced: [] });
      expect(outcome.log.join()).toContain('celsius is above 100');
    });

    it('ends a run that fails, with what it produced until then', async () => {
      const outcome = await run('failing');
      expect(outcome).toMatchObject({ kind: 'failed', reason: 'out of stock' });
      expect(entriesOf(outcome)).toEqual([['order', { celsius: 1 }]]);
    });

    it.each<[BehaviorSample, string]>([
      ['endless', 'fuel'],
      ['bomb', 'memory'],
      ['deep', 'stack'],
      ['throwing', 'exception'],
      ['big', 'output'],
    ])('%s is broken by %s, always at the same place, and others go on', async (name, cause) => {
      const outcome = await run(name);
      expect(outcome).toMatchObject({ kind: 'broken', cause });
      expect(entriesOf(await run('double'))).toHaveLength(2);
      expect(await run(name)).toEqual(outcome);
      expect(sandbox.status().replaced).toBe(0);
    });

    it('says the words of what is thrown', async () => {
      const outcome = await run('throwing');
      expect(outcome.kind === 'broken' && outcome.message).toContain('broken on purpose');
    });

    it('comes to the same end from the same call, on whatever worker, warm or cold', async () => {
      const other = kind.open();
      const names: BehaviorSample[] = ['double', 'chance', 'memory', 'ask', 'failing'];
      for (const name of names) {
        const here = [await run(name), await run(name)];
        const there = await other.run(await load(name, other), CALL, new NotingHost());
        expect(here).toEqual([there, there]);
        expect(there.fuelUsed).toBeGreaterThan(0);
      }
      await other.close();
    });

    it('knows no clock but its call’s, and no chance but the seed’s', async () => {
      const outcome = await run('chance');
      const [one, two, at] = entriesOf(outcome) as [string, { celsius: number }][];
      expect(at![1].celsius).toBe(CALL.at);
      for (const [, { celsius }] of [one!, two!]) expect(celsius >= 0 && celsius < 1).toBe(true);
      expect(one![1].celsius).not.toBe(two![1].celsius);
      const other = await run('chance', { seed: idOf(0x5b) });
      expect(entriesOf(other)).not.toEqual(entriesOf(outcome));
    });

    it('remembers nothing from run to run', async () => {
      for (let count = 0; count < 3; count++) {
        expect(entriesOf(await run('memory'))).toEqual([['order', { celsius: 1 }]]);
      }
    });

    it('acts on declared devices at once; what is declared as read is not moved', async () => {
      const host = new NotingHost();
      const outcome = await run('device', {}, host);
      expect(host.asked).toEqual([
        ['device', 'fan', 'set', [true]],
        ['device', 'probe', 'get', []],
      ]);
      expect(JSON.stringify(outcome)).toContain('read only');
    });

    it('reaches no device that is not declared', async () => {
      const host = new NotingHost();
      const outcome = await run('strangedevice', {}, host);
      expect(outcome).toMatchObject({ kind: 'broken', cause: 'exception' });
      expect(host.asked).toEqual([]);
    });

    it('is broken where the host does not answer, and others go on', async () => {
      const host = new NotingHost();
      host.onDevice = () => Promise.reject(new Error('the bus is gone'));
      const outcome = await run('device', {}, host);
      expect(outcome).toMatchObject({ kind: 'broken', cause: 'host', message: 'the bus is gone' });
      expect((await run('double')).kind).toBe('done');
    });

    it('ends with its worker, and the next run finds another', async () => {
      const own = kind.open();
      const loaded = await load('device', own);
      const host = new NotingHost();
      const asked = new Promise<void>((resolve) => {
        host.onDevice = () => {
          resolve();
          return new Promise(() => undefined);
        };
      });
      const outcome = own.run(loaded, CALL, host);
      await asked;
      const end = own.close();
      expect(await outcome).toMatchObject({ kind: 'broken', cause: 'crash' });
      await end;
      expect(await own.run(loaded, CALL, new NotingHost())).toMatchObject({ cause: 'crash' });
    });
  });
}
