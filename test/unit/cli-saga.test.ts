import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AnswerError, ApiClient } from '../../src/api/client.ts';
import { EXIT } from '../../src/cli/exit-code.ts';
import type { SagaTrace } from '../../src/participant/saga-face.ts';
import { Stage } from './cli-stage.ts';

const ID = '3fa9'.padEnd(64, '0');
const GROUP = 'a'.repeat(64);

const TRACE: SagaTrace = {
  id: ID,
  state: 'compensated',
  step: 1,
  awaits: null,
  failure: 'no money',
  key: 'sA1',
  saga: 'shop',
  states: [
    {
      sequence: 4,
      step: 0,
      kind: 'partial',
      stage: 'retrieve',
      at: 'cellar\u001b[2J',
      atMs: Date.UTC(2026, 0, 2, 3, 4, 5),
      consumed: { group: GROUP, sequence: 17 },
      produced: [{ pact: 'payment_request', entry: { order_id: 'A1' }, sequence: null }],
      failure: null,
      undone: [],
      stuck: [],
      counts: false,
    },
    {
      sequence: 5,
      step: 1,
      kind: 'final-failed',
      stage: 'charge',
      at: 'attic',
      atMs: 0,
      consumed: null,
      produced: [{ pact: 'order_notice', entry: null, sequence: 9 }],
      failure: 'no money',
      undone: ['retrieve'],
      stuck: ['ship'],
      counts: true,
    },
  ],
};

let stage: Stage;
let client: ApiClient;

beforeEach(async () => {
  stage = new Stage();
  await stage.start();
  client = new ApiClient(stage.world.socketFile, 'Run: vertebra run');
});

afterEach(() => stage.end());

function write(name: string, text: string): string {
  const file = join(stage.folder, name);
  writeFileSync(file, text);
  return file;
}

const SAGA = JSON.stringify({ name: 'shop', initiating: 'shop_order', stages: [] });

function post(path: string, content: string): Promise<unknown> {
  return client.ask({ method: 'POST', path, body: { type: 'application/json', content } });
}

describe('vertebra behavior', () => {
  it('add hands in the code of a file, and list shows what is known', async () => {
    const file = write('retrieve.js', 'export default { run() {} };\n');
    const added = await stage.run(['behavior', 'add', file]);
    expect(added).toMatchObject({ exit: EXIT.ok, err: '' });
    expect(added.out).toBe('Behavior retrieve (bbbbbbbbbbbb).\n');
    const [sent] = stage.face.sagas.added;
    expect(sent).toMatchObject({ kind: 'javascript', fileName: 'retrieve' });
    expect(Buffer.from(sent!.code, 'base64').toString()).toContain('run()');
    const { out } = await stage.run(['behavior', 'list']);
    const [titles, row] = out.split('\n').map((line) => line.split(/\s{2,}/));
    expect(titles).toContain('UNDOES');
    expect(row).toEqual(expect.arrayContaining(['retrieve', 'javascript', 'no']));
    const json = await stage.run(['behavior', 'list', '--json']);
    expect(JSON.parse(json.out)).toEqual(stage.face.sagas.behaviors());
  });
});

describe('vertebra saga', () => {
  it('deploy hands in a file and the owners, and list shows it', async () => {
    expect((await stage.run(['saga', 'list'])).out).toBe('No Sagas are known.\n');
    const args = ['saga', 'deploy', write('shop.json', SAGA), '--owner', 'self', 'cellar'];
    const { exit, out } = await stage.run(args);
    expect(exit).toBe(EXIT.ok);
    expect(out).toMatch(/^Saga shop \(d{12}\), started by self,cellar\n/);
    expect((await stage.run(['saga', 'list'])).out).toBe(out);
  });

  it('trace shows each State, what came second, and what could not be undone', async () => {
    stage.face.sagas.traced = TRACE;
    const { exit, out } = await stage.run(['saga', 'trace', '3fa9']);
    expect(exit).toBe(EXIT.ok);
    const [title, , first, second] = out.split('\n');
    expect(title).toBe(`Saga shop, ${ID}: compensated. no money`);
    expect(first).toMatch(/partial.*2026-01-02T03:04:05.000Z.*#17.*payment_request -.*came second/);
    const note = /order_notice #9 .*no money; undone: retrieve; could not be undone: ship/;
    expect(second).toMatch(note);
    expect(out).not.toContain('\u001b');
    const json = await stage.run(['saga', 'trace', '3fa9', '--json']);
    expect(JSON.parse(json.out)).toEqual(TRACE);
  });

  it('replay that finds something else says so and fails', async () => {
    stage.face.sagas.traced = TRACE;
    const { exit, out, err } = await stage.run(['saga', 'replay', '3fa9']);
    expect(exit).toBe(EXIT.failed);
    expect(out).toMatch(/differs from the log.*0 +other Entries/s);
    expect(err).toContain('The replay differs from the log.');
  });

  it('of an invocation that nobody knows says so', async () => {
    for (const verb of ['trace', 'replay']) {
      const { exit, err } = await stage.run(['saga', verb, 'ffff']);
      expect(exit).not.toBe(EXIT.ok);
      expect(err).toContain('There is no invocation');
    }
  });
});

describe('vertebra status', () => {
  it('tells of Sagas where there are some: how many, and what they wait for', async () => {
    expect((await stage.run(['status'])).out).not.toContain('SAGAS');
    const awaits = 'a Participant with gpio\u001b[2J';
    stage.face.sagas.stands = {
      ...{ known: 2, open: 3, started: 9, completed: 5, compensated: 1, refused: 0 },
      awaiting: [{ saga: 'shop', invocation: ID, awaits }],
    };
    const { out } = await stage.run(['status']);
    const lines = out.split('\n');
    const at = lines.findIndex((line) => line.startsWith('SAGAS'));
    expect(lines[at]!.split(/\s+/)).toEqual([
      ...['SAGAS', 'OPEN', 'STARTED', 'COMPLETED', 'COMPENSATED', 'REFUSED'],
    ]);
    expect(lines[at + 1]!.trim().split(/\s+/)).toEqual(['2', '3', '9', '5', '1', '0']);
    expect(lines[at + 2]).toContain('shop (3fa900000000) waits for a Participant with gpio');
    expect(out).not.toContain('\u001b');
    const json = await stage.run(['status', '--json']);
    expect(JSON.parse(json.out)).toMatchObject({ sagas: stage.face.sagas.stands });
  });
});

describe('by HTTP', () => {
  it('Behaviors and Sagas are handed in and listed', async () => {
    const file = { kind: 'javascript', code: 'eA==', fileName: 'x', declared: { consumes: [] } };
    const added = await post('/v1/behaviors', JSON.stringify(file));
    expect(stage.face.sagas.added).toEqual([file]);
    expect(await client.ask({ method: 'GET', path: '/v1/behaviors' })).toEqual([added]);
    const saga = await post('/v1/sagas', `{"saga":${SAGA},"owners":["self"]}`);
    expect(saga).toMatchObject({ name: 'shop', initiating: 'self' });
    expect(await client.ask({ method: 'GET', path: '/v1/sagas' })).toEqual([saga]);
    expect(await post('/v1/sagas', `{"saga":${SAGA}}`)).toMatchObject({ initiating: '' });
  });

  it('invocations are traced and replayed', async () => {
    stage.face.sagas.traced = TRACE;
    const path = `/v1/invocations/${ID}`;
    expect(await client.ask({ method: 'GET', path })).toEqual(TRACE);
    expect(await post(`${path}/replay`, '')).toMatchObject({ same: false });
  });

  it.each([
    ['/v1/behaviors', '{"kind":"javascript"}', 'body-malformed'],
    ['/v1/behaviors', '{', 'body-malformed'],
    ['/v1/sagas', `{"saga":${SAGA},"owners":"self"}`, 'body-malformed'],
    ['/v1/invocations/ffff/replay', '', 'saga-unknown'],
  ])('POST %s with %j is refused', async (path, content, code) => {
    const refusal = await post(path, content).catch((cause: unknown) => cause);
    expect(refusal).toBeInstanceOf(AnswerError);
    expect(refusal).toMatchObject({ code });
    expect([stage.face.sagas.added, stage.face.sagas.deployed]).toEqual([[], []]);
  });
});
