import { describe, expect, test, vi } from 'vitest';
import { type SandboxOptions, WorkerSandbox } from '../../src/behavior/worker-sandbox.ts';
import type { LoadedBehavior, Sandbox } from '../../src/ports/sandbox.ts';
import { CALL, NotingHost } from '../contract/sandbox.ts';
import { behaviorOf } from './behavior-samples.ts';

// An upper bound for a busy machine: workers start, compilers are loaded.
vi.setConfig({ testTimeout: 120_000 });

const QUERY = `export default { run(ctx) { ctx.query('stock'); ctx.log('asked'); } };`;
const numbered = (number: number) => `export default { run(ctx) { ctx.log(${number}); } };`;

async function load(sandbox: Sandbox, code: string, said = {}): Promise<LoadedBehavior> {
  const loaded = await sandbox.load(behaviorOf(code, said));
  if (!loaded.ok) throw new Error(`${loaded.reason}: ${loaded.detail}`);
  return loaded.value;
}

async function within(options: SandboxOptions, work: (sandbox: WorkerSandbox) => Promise<void>) {
  const sandbox = new WorkerSandbox(options);
  await work(sandbox).finally(() => sandbox.close());
}

/** A host that answers a query when it is told to. */
class WaitingHost extends NotingHost {
  readonly asking: Promise<void>;
  answer: () => void = () => undefined;
  private onAsked: () => void = () => undefined;
  private readonly answered: Promise<void>;

  constructor() {
    super();
    this.asking = new Promise((resolve) => {
      this.onAsked = resolve;
    });
    this.answered = new Promise((resolve) => {
      this.answer = resolve;
    });
  }

  override async query() {
    this.onAsked();
    await this.answered;
    return { ok: true as const, value: [] };
  }
}

describe('the pool of workers', () => {
  test('starts no worker before something is loaded', () =>
    within({}, async (sandbox) => {
      expect(sandbox.status().workers).toBe(0);
      await load(sandbox, QUERY);
      expect(sandbox.status()).toMatchObject({ workers: 1, loaded: 1 });
    }));

  test('runs in order, one at a time in each worker', () =>
    within({ workers: 1 }, async (sandbox) => {
      const asking = await load(sandbox, QUERY);
      const host = new WaitingHost();
      const first = sandbox.run(asking, CALL, host);
      await host.asking;
      const second = sandbox.run(asking, CALL, new NotingHost());
      expect(sandbox.status().waiting).toBe(1);
      host.answer();
      expect((await first).log).toEqual(['asked']);
      expect((await second).log).toEqual(['asked']);
      expect(sandbox.status()).toMatchObject({ waiting: 0, runs: 2, workers: 1 });
    }));

  test('runs beside a run that waits, where there is another worker', () =>
    within({ workers: 2 }, async (sandbox) => {
      const asking = await load(sandbox, QUERY);
      const host = new WaitingHost();
      const first = sandbox.run(asking, CALL, host);
      await host.asking;
      expect((await sandbox.run(asking, CALL, new NotingHost())).kind).toBe('done');
      expect(sandbox.status().workers).toBe(2);
      host.answer();
      expect((await first).kind).toBe('done');
    }));

  test('is busy where too many runs wait', () =>
    within({ workers: 1, waitingMax: 1 }, async (sandbox) => {
      const asking = await load(sandbox, QUERY);
      const host = new WaitingHost();
      const runs = [sandbox.run(asking, CALL, host)];
      await host.asking;
      runs.push(sandbox.run(asking, CALL, new NotingHost()));
      const third = await sandbox.run(asking, CALL, new NotingHost());
      expect(third).toMatchObject({ kind: 'broken', cause: 'busy' });
      host.answer();
      for (const run of runs) expect((await run).kind).toBe('done');
    }));

  test('waits for a host no longer than it may, and takes no late answer for another', () =>
    within({ hostMs: 50 }, async (sandbox) => {
      const asking = await load(sandbox, QUERY);
      const host = new WaitingHost();
      const late = await sandbox.run(asking, CALL, host);
      expect(late).toMatchObject({ kind: 'broken', cause: 'host' });
      host.answer();
      const plain = await load(sandbox, numbered(7));
      expect((await sandbox.run(plain, CALL, new NotingHost())).log).toEqual(['7']);
      expect(sandbox.status().replaced).toBe(0);
    }));

  test('ends a worker that does not stop, and the next run finds another', () =>
    within({ runMs: 300 }, async (sandbox) => {
      const fuel = 20_000_000_000;
      const limits = { ...behaviorOf(QUERY).limits, fuel };
      const endless = await load(sandbox, 'export default { run() { for (;;); } };', { limits });
      const outcome = await sandbox.run(endless, CALL, new NotingHost());
      expect(outcome).toMatchObject({ kind: 'broken', cause: 'crash' });
      expect(sandbox.status().replaced).toBe(1);
    }));

  test('ends workers that have nothing to do, and starts them again', () =>
    within({ idleMs: 1 }, async (sandbox) => {
      const plain = await load(sandbox, numbered(1));
      await expect.poll(() => sandbox.status().workers).toBe(0);
      expect((await sandbox.run(plain, CALL, new NotingHost())).log).toEqual(['1']);
    }));

  test('forgets what ran longest ago, and runs it all the same', () =>
    within({ loadedMax: 2, warmMax: 1 }, async (sandbox) => {
      const all: LoadedBehavior[] = [];
      for (const number of [0, 1, 2]) all.push(await load(sandbox, numbered(number)));
      expect(sandbox.status()).toMatchObject({ loaded: 2 });
      for (const number of [0, 1, 2, 1, 0]) {
        const outcome = await sandbox.run(all[number]!, CALL, new NotingHost());
        expect(outcome.log).toEqual([String(number)]);
        expect(sandbox.status()).toMatchObject({ loaded: 2, warm: 1 });
      }
    }));

  test('a host that answers what is no JSON, or too much, breaks its run alone', () =>
    within({}, async (sandbox) => {
      const asking = await load(sandbox, QUERY);
      for (const rows of [[{ big: 'x'.repeat(5_000_000) }], [{ count: 1n }]]) {
        const host = new NotingHost();
        host.rows = rows as unknown[] as [];
        expect(await sandbox.run(asking, CALL, host)).toMatchObject({ cause: 'host' });
      }
      expect((await sandbox.run(asking, CALL, new NotingHost())).kind).toBe('done');
    }));

  test('says no more once it is closed', async () => {
    const sandbox = new WorkerSandbox();
    await sandbox.close();
    expect(await sandbox.load(behaviorOf(QUERY))).toMatchObject({ ok: false });
    expect(sandbox.status().workers).toBe(0);
  });
});
