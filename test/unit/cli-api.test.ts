import { getEventListeners, once } from 'node:events';
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { request } from 'node:http';
import { connect, Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { AnswerError, ApiClient, LateError, UnreachableError } from '../../src/api/client.ts';
import { type Api, startApi } from '../../src/api/server.ts';
import { DEFAULT_CONFIG } from '../../src/participant/config.ts';
import { openLogger } from '../../src/participant/log.ts';
import { SampleFace } from './cli-sample-face.ts';

let folder: string;
let socket: string;
let face: SampleFace;
let api: Api;
let client: ApiClient;
let lines: string[];

const config = {
  ...DEFAULT_CONFIG,
  apiBodyBytesMax: 2048,
  apiHeaderBytesMax: 2048,
  apiConnectionsMax: 8,
  apiRequestTimeoutMs: 200,
  pullEntriesMax: 3,
};

async function start(): Promise<Api> {
  lines = [];
  const log = openLogger({
    level: 'debug',
    format: 'json',
    lineBytesMax: 4096,
    wallMs: () => 0,
    write: (line) => lines.push(line),
  });
  return await startApi({ face, log, config, socket });
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'vertebra-api-'));
  socket = join(folder, 'agent.sock');
  face = new SampleFace();
  api = await start();
  client = new ApiClient(socket, 'Run: vertebra run');
});

afterEach(async () => {
  await api.close();
  rmSync(folder, { recursive: true });
});

const NDJSON = 'application/x-ndjson';
const JSON_TYPE = 'application/json';

async function* chunks(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text);
}

function push(type: string, content: string | AsyncIterable<Uint8Array>, query = '') {
  const path = `/v1/pacts/machine_load/entries${query}`;
  return client.ask({ method: 'POST', path, body: { type, content } });
}

async function refusal(promise: Promise<unknown>): Promise<AnswerError> {
  const error = await promise.then(
    () => null,
    (cause) => cause,
  );
  if (error instanceof AnswerError) return error;
  throw error ?? new Error('was accepted');
}

async function pulled(query: string): Promise<unknown[]> {
  const all: unknown[] = [];
  const path = `/v1/pacts/machine_load/entries${query}`;
  for await (const value of client.stream({ method: 'GET', path })) all.push(value);
  return all;
}

describe('the socket', () => {
  test('is for its owner alone', () => {
    expect(statSync(socket).mode & 0o777).toBe(0o600);
  });

  test('of an agent that was killed is replaced', async () => {
    const kept = join(folder, 'kept.sock');
    linkSync(socket, kept);
    await api.close();
    renameSync(kept, socket);
    api = await start();
    expect(await client.ask({ method: 'GET', path: '/livez' })).toEqual({ live: true });
  });

  test('takes no file away that is not one', async () => {
    await api.close();
    writeFileSync(socket, 'precious');
    await expect(start()).rejects.toThrow(/api_socket/);
    expect(readFileSync(socket, 'utf8')).toBe('precious');
  });

  test('outlives connections that could not be accepted', async () => {
    await api.close();
    const listening = vi.spyOn(Server.prototype, 'listen');
    api = await start();
    const [server] = listening.mock.contexts as [Server];
    listening.mockRestore();
    for (let count = 0; count < 3; count++) server.emit('error', new Error('accept EMFILE'));
    expect(await client.ask({ method: 'GET', path: '/livez' })).toEqual({ live: true });
    expect(lines.join('')).toContain('EMFILE');
  });

  test('is gone after the agent', async () => {
    await api.close();
    expect(existsSync(socket)).toBe(false);
  });

  test('is not made where others could put another in its place', async () => {
    const open = join(folder, 'open');
    mkdirSync(open);
    chmodSync(open, 0o777);
    const options = {
      face,
      log: openLogger({
        level: 'error',
        format: 'json',
        lineBytesMax: 999,
        wallMs: () => 0,
        write: () => {},
      }),
      config,
    };
    await expect(startApi({ ...options, socket: join(open, 'a.sock') })).rejects.toThrow(/go-w/);
  });

  test('without an agent says how to start one', async () => {
    await api.close();
    const asked = client.ask({ method: 'GET', path: '/livez' });
    const error = await asked.then(() => new Error('was answered')).catch((cause: Error) => cause);
    expect(error).toBeInstanceOf(UnreachableError);
    expect(error.message).toContain('Run: vertebra run');
  });
});

describe('a question', () => {
  test.each(['status', 'peers', 'pacts', 'groups'] as const)(
    'for %s gives the report',
    async (name) => {
      face.open('machine_load');
      face.addPeer('tcp://a:1');
      const answer = await client.ask({ method: 'GET', path: `/v1/${name}` });
      const report = {
        ...{
          status: face.status(),
          peers: face.peers(),
          pacts: face.pacts(),
          groups: face.groups(),
        },
      };
      expect(answer).toEqual(JSON.parse(JSON.stringify(report[name])));
    },
  );

  test('for the SIC-DAG gives the last Generations asked for', async () => {
    const answer = await client.ask({ method: 'GET', path: '/v1/dag?limit=2' });
    expect(answer).toEqual(JSON.parse(JSON.stringify(face.dag(2))));
  });

  test('to add a peer, a Pact, a group does so', async () => {
    const body = (content: string) => ({ body: { type: JSON_TYPE, content } });
    await client.ask({ method: 'POST', path: '/v1/peers', ...body('{"url":"tcp://b:1"}') });
    expect(face.urls).toEqual(['tcp://b:1']);
    const pact = await client.ask({
      method: 'POST',
      path: '/v1/pacts',
      ...body('{"name":"door"}'),
    });
    expect(pact).toMatchObject({ name: 'door' });
    const asked = '{"pact":"door","owners":["self"]}';
    const group = await client.ask({ method: 'POST', path: '/v1/groups', ...body(asked) });
    expect(group).toMatchObject({ pact: 'door', own: true });
  });

  test.each([
    ['GET', '/v1/nothing', 'not-found'],
    ['GET', '/v1/status/', 'not-found'],
    ['POST', '/v1/status', 'method-not-allowed'],
    ['GET', '/v1/dag?limit=x', 'query-malformed'],
    ['GET', '/v1/dag?limit=0', 'query-malformed'],
    ['GET', '/v1/pacts/%ff/entries', 'query-malformed'],
    ['GET', `/v1/pacts/${'x'.repeat(2040)}/entries`, 'query-malformed'],
    ['GET', '/v1/pacts/none/entries', 'group-unknown'],
    ['POST', '/v1/peers', 'body-malformed'],
  ] as const)('%s %s is refused with %s', async (method, path, code) => {
    const small = { ...config, apiHeaderBytesMax: 8192 };
    await api.close();
    api = await startApi({
      face,
      config: small,
      socket,
      log: openLogger({
        level: 'error',
        format: 'json',
        lineBytesMax: 999,
        wallMs: () => 0,
        write: () => {},
      }),
    });
    expect((await refusal(client.ask({ method, path }))).code).toBe(code);
  });

  test('with wrong fields names the field', async () => {
    const body = { type: JSON_TYPE, content: '{"pact":"door","owners":"self"}' };
    const error = await refusal(client.ask({ method: 'POST', path: '/v1/groups', body }));
    expect(error.where).toBe('owners');
  });

  test('that is refused is a problem of RFC 9457', async () => {
    const asked = request({ socketPath: socket, path: '/v1/nothing', agent: false });
    asked.end();
    const [answer] = await once(asked, 'response');
    expect(answer.headers['content-type']).toBe('application/problem+json');
    expect(JSON.parse((await answer.toArray()).join(''))).toEqual({
      type: 'about:blank',
      title: 'Not Found',
      status: 404,
      code: 'not-found',
      detail: 'There is nothing at /v1/nothing.',
      where: '/v1/nothing',
    });
  });

  test('with too many headers is cut off without harm', async () => {
    const wire = connect(socket);
    wire.write(`GET /livez HTTP/1.1\r\nx: ${'y'.repeat(5000)}\r\n\r\n`);
    const [first] = await once(wire, 'data');
    expect(String(first)).toContain('431');
    wire.destroy();
    expect(await client.ask({ method: 'GET', path: '/livez' })).toEqual({ live: true });
  });

  test('that our own fault spoils shows nothing of it, and leaves a line in the log', async () => {
    face.status = () => {
      throw new TypeError('at secret place');
    };
    const error = await refusal(client.ask({ method: 'GET', path: '/v1/status' }));
    expect(error.code).toBe('failed');
    expect(error.message).not.toContain('secret place');
    expect(lines.join('')).toContain('at secret place');
  });

  test('leaves nothing behind once it is answered', async () => {
    await api.close();
    const signals: AbortSignal[] = [];
    const Controller = class extends AbortController {
      constructor() {
        super();
        signals.push(this.signal);
      }
    };
    vi.stubGlobal('AbortController', Controller);
    api = await start();
    vi.unstubAllGlobals();
    const [closing] = signals as [AbortSignal];
    for (let count = 0; count < 20; count++) await client.ask({ method: 'GET', path: '/livez' });
    // What `AbortSignal.any` notes at its sources, Node 20 never forgets.
    const dependants = Object.getOwnPropertySymbols(closing)
      .filter((each) => each.description === 'kDependantSignals')
      .map((each) => Number(Reflect.get(closing, each).size));
    expect(Math.max(0, ...dependants)).toBe(0);
    expect(getEventListeners(closing, 'abort').length).toBeLessThanOrEqual(1);
  });

  test('that nobody answers in time ends', async () => {
    face.addPact = () => new Promise(() => {});
    const body = { type: JSON_TYPE, content: '{}' };
    const ask = { method: 'POST', path: '/v1/pacts', body, timeoutMs: 50 } as const;
    await expect(client.ask(ask)).rejects.toThrow(LateError);
  });
});

describe('a push', () => {
  test.each([
    ['one Entry', JSON_TYPE, '{"load":1}', 1],
    ['a list', JSON_TYPE, '[{"load":1},{"load":2}]', 2],
    ['no Entries', JSON_TYPE, '[]', 0],
    ['lines', NDJSON, '{"load":1}\n{"load":2}\n\n{"load":3}', 3],
    ['nothing', NDJSON, '', 0],
  ])('of %s takes all of it', async (_name, type, content, count) => {
    const channel = face.open('machine_load');
    expect(await push(type, content)).toEqual({ taken: count, state: 'taken' });
    expect(channel.final).toHaveLength(count);
  });

  test('of a list takes all of it or nothing', async () => {
    const channel = face.open('machine_load');
    const error = await refusal(push(JSON_TYPE, '[{"load":1},{"load":"high"}]'));
    expect(error.code).toBe('entry-invalid');
    expect(error.where).toBe('load');
    expect(channel.final).toHaveLength(0);
  });

  test.each([
    ['{"load":1}\n{"load":2}\n{"load":"x"}\n{"load":4}', 'entry-invalid', 'line 3, load', 2],
    ['{"load":1}\n[]\n', 'entry-invalid', 'line 2', 1],
    ['{"load":1}\n{"load":2}\nload 3\n', 'body-malformed', 'line 3', 2],
  ])(
    'of lines takes those before the bad one and names it: %j',
    async (content, code, where, taken) => {
      const channel = face.open('machine_load');
      const error = await refusal(push(NDJSON, content));
      expect(error).toMatchObject({ code, where, taken });
      expect(channel.final).toHaveLength(taken);
    },
  );

  test('is cut into chunks anywhere without harm', async () => {
    const text = '{"load":1}\n{"load":2.5}\n{"load":3,"name":"é"}\n';
    const bytes = Buffer.from(text);
    for (let at = 0; at <= bytes.length; at++) {
      const channel = face.open('machine_load');
      async function* parts(): AsyncGenerator<Uint8Array> {
        yield bytes.subarray(0, at);
        yield bytes.subarray(at);
      }
      await push(NDJSON, parts());
      expect(channel.final).toEqual([{ load: 1 }, { load: 2.5 }, { load: 3, name: 'é' }]);
    }
  });

  test('waits while the Entry Buffer is full, and stops reading', async () => {
    const channel = face.open('machine_load');
    channel.room = 2;
    channel.isDrainedAtOnce = false;
    let sent = 0;
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (; sent < 5_000; sent++) yield Buffer.from(`{"load":${'1'.repeat(1000)}e-999}\n`);
    }
    const pushing = push(NDJSON, endless());
    while (channel.waiting.length < 2) await new Promise((resolve) => setImmediate(resolve));
    for (let turn = 0; turn < 200; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(sent).toBeLessThan(3_000);
    channel.isDrainedAtOnce = true;
    channel.drain();
    expect(await pushing).toEqual({ taken: 5_000, state: 'taken' });
  });

  test('is refused instead where that was asked for', async () => {
    const channel = face.open('machine_load');
    channel.room = 1;
    channel.isDrainedAtOnce = false;
    const error = await refusal(push(JSON_TYPE, '[{"load":1},{"load":2}]', '?full=refuse'));
    expect(error.code).toBe('buffer-full');
  });

  test.each(['durable', 'final'] as const)('is answered when %s', async (state) => {
    const channel = face.open('machine_load');
    channel.isDrainedAtOnce = false;
    let isAnswered = false;
    const pushing = push(JSON_TYPE, '{"load":1}', `?wait=${state}`).then((answer) => {
      isAnswered = true;
      return answer;
    });
    while (channel.waiting.length === 0) await new Promise((resolve) => setImmediate(resolve));
    expect(isAnswered).toBe(false);
    channel.drain();
    expect(await pushing).toEqual({ taken: 1, state });
  });

  test('may be as long as the limit and no longer', async () => {
    face.open('machine_load');
    const entry = (length: number) => `{"load":1,"x":"${'y'.repeat(length - 17)}"}`;
    for (const type of [JSON_TYPE, NDJSON]) {
      expect(await push(type, chunks(entry(2048)))).toMatchObject({ taken: 1 });
      expect((await refusal(push(type, chunks(entry(2049))))).code).toBe('body-too-long');
      expect((await refusal(push(type, entry(2049)))).code).toBe('body-too-long');
    }
  });

  test('of another media type is refused', async () => {
    face.open('machine_load');
    expect((await refusal(push('text/csv', 'load\n1'))).code).toBe('media-type');
  });

  test('of what is no UTF-8 is refused', async () => {
    face.open('machine_load');
    async function* bytes(): AsyncGenerator<Uint8Array> {
      yield Uint8Array.of(0x22, 0xff, 0x22);
    }
    expect((await refusal(push(JSON_TYPE, bytes()))).code).toBe('body-malformed');
  });

  test('that is refused before it came is let go by, so that its sender hears why', async () => {
    const sender = connect(socket);
    const head = 'POST /nowhere HTTP/1.1\r\nHost: here\r\nConnection: close\r\n';
    sender.write(`${head}Transfer-Encoding: chunked\r\n\r\n`);
    const [answer] = await once(sender, 'data');
    expect(String(answer)).toContain('404');
    // Had the agent hung up, this write would break the connection.
    sender.write('2\r\n{}\r\n');
    sender.end('0\r\n\r\n');
    await once(sender, 'close');
    expect(sender.errored).toBeNull();
  });

  test('that does not come in time is refused', async () => {
    face.open('machine_load');
    async function* stuck(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('{');
      await new Promise((resolve) => setTimeout(resolve, 400));
      yield Buffer.from('}');
    }
    expect((await refusal(push(JSON_TYPE, stuck()))).code).toBe('timeout');
  });

  test('that breaks off leaves what was taken, and the agent well', async () => {
    const channel = face.open('machine_load');
    const wire = connect(socket);
    wire.write(
      `POST /v1/pacts/machine_load/entries HTTP/1.1\r\nhost: x\r\ncontent-type: ${NDJSON}\r\n` +
        'transfer-encoding: chunked\r\n\r\nb\r\n{"load":1}\n\r\n',
    );
    while (channel.final.length === 0) await new Promise((resolve) => setImmediate(resolve));
    wire.destroy();
    expect(await client.ask({ method: 'GET', path: '/livez' })).toEqual({ live: true });
    expect(lines).toEqual([]);
  });
});

describe('a pull', () => {
  function filled(count: number) {
    const channel = face.open('machine_load');
    channel.final.push(...Array.from({ length: count }, (_, index) => ({ load: index + 1 })));
    return channel;
  }

  const sequences = (values: unknown[]) =>
    values.map((each) => (each as { sequence: number }).sequence);

  test('gives what is final now, whatever the pieces', async () => {
    for (const count of [0, 1, 3, 4, 10]) {
      filled(count);
      expect(sequences(await pulled(''))).toEqual(Array.from({ length: count }, (_, i) => i + 1));
    }
  });

  test('goes on from a sequence number, as far as asked', async () => {
    filled(10);
    expect(sequences(await pulled('?from=4'))).toEqual([4, 5, 6, 7, 8, 9, 10]);
    expect(sequences(await pulled('?from=4&limit=2'))).toEqual([4, 5]);
    expect(await pulled('?from=11')).toEqual([]);
  });

  test('follows what becomes final, until it has as many as asked', async () => {
    const channel = filled(2);
    const all = pulled('?from=2&follow=true&limit=3');
    for (let index = 0; index < 5; index++) {
      channel.tryPush({ load: 10 + index });
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(sequences(await all)).toEqual([2, 3, 4]);
  });

  test('that is followed ends with the signal, without an error', async () => {
    filled(1);
    const stop = new AbortController();
    const path = '/v1/pacts/machine_load/entries?follow=true';
    let count = 0;
    for await (const _ of client.stream({ method: 'GET', path, signal: stop.signal })) {
      count++;
      stop.abort();
    }
    expect(count).toBe(1);
  });

  test('that is followed ends with the agent', async () => {
    filled(1);
    const path = '/v1/pacts/machine_load/entries?follow=true';
    let count = 0;
    for await (const _ of client.stream({ method: 'GET', path })) {
      count++;
      void api.close();
    }
    expect(count).toBe(1);
  });

  test('goes at the pace of whoever reads', async () => {
    const channel = filled(3000);
    let asked = 0;
    const pull = channel.pull.bind(channel);
    channel.pull = (from, limit) => {
      asked = Math.max(asked, from);
      return pull(from, limit).map((each) => ({ ...each, entry: { x: 'y'.repeat(2000) } }));
    };
    const path = '/v1/pacts/machine_load/entries';
    const stream = client.stream({ method: 'GET', path });
    await stream.next();
    for (let turn = 0; turn < 500; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(asked).toBeLessThan(2000);
    let count = 1;
    for await (const _ of stream) count++;
    expect(count).toBe(3000);
  });
});

test('a pull that is followed goes at the pace of whoever reads, and not of the news', async () => {
  const channel = face.open('machine_load');
  channel.final.push({ load: 1 });
  let taken = 0;
  channel.follow = async function* (from) {
    const [first] = channel.pull(from, 1);
    for (; taken < 5_000; taken++) {
      yield { ...first!, entry: { x: 'y'.repeat(2_000) } };
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  const path = '/v1/pacts/machine_load/entries?follow=true';
  const stream = client.stream({ method: 'GET', path });
  await stream.next();
  for (let turn = 0; turn < 12_000; turn++) await new Promise((resolve) => setImmediate(resolve));
  expect(taken).toBeLessThan(2_000);
  let count = 1;
  for await (const _ of stream) count++;
  expect(count).toBe(5_000);
});

test('an agent that closes ends what never ends by itself', async () => {
  face.addPact = () => new Promise(() => {});
  const body = { type: JSON_TYPE, content: '{}' };
  const asked = client.ask({ method: 'POST', path: '/v1/pacts', body }).catch((cause) => cause);
  await client.ask({ method: 'GET', path: '/livez' });
  await api.close();
  expect(await asked).toBeInstanceOf(Error);
});
