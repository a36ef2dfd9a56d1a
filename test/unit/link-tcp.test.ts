import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { TcpTransport } from '../../src/gossip/links/tcp.ts';
import type { Timers } from '../../src/ports/clock.ts';
import { type Link, LinkError, type Listening } from '../../src/ports/link.ts';
import { describeLinks, Ear } from '../contract/link.ts';

/** The machine's own time: sockets are real here. */
const TIMERS: Timers = {
  monotonicMs: () => performance.now(),
  wallMs: () => Date.now(),
  after: (delayMs, wake) => {
    const timer = setTimeout(wake, delayMs);
    return () => clearTimeout(timer);
  },
};

/** A port that was free a moment ago. */
async function deadUrl(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return `tcp://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
}

describeLinks({
  name: 'tcp',
  makeTransport: () => new TcpTransport({ timers: TIMERS }),
  freeUrl: () => 'tcp://127.0.0.1:0',
  deadUrl,
  brokenUrls: [
    'tcp://127.0.0.1',
    'tcp://127.0.0.1:0',
    'tcp://127.0.0.1:70000',
    'tcp://:7411',
    'tcp://user@127.0.0.1:7411',
    'tcp://127.0.0.1:7411/path',
    'tcp://127.0.0.1:7411?a=b',
    'tcp://a%00b:7411',
    'http://127.0.0.1:80',
    'nonsense',
  ],
});

describe('a tcp listener', () => {
  const transport = new TcpTransport({ timers: TIMERS });
  const open: (Listening | Link)[] = [];

  afterEach(async () => {
    for (const each of open.splice(0)) await each.close();
  });

  async function accept(url = 'tcp://127.0.0.1:0') {
    let arrived: (ear: Ear) => void = () => undefined;
    const ear = new Promise<Ear>((done) => {
      arrived = done;
    });
    const listening = await transport.listen(url, (link) => {
      open.push(link);
      arrived(new Ear(link));
    });
    open.push(listening);
    const { hostname, port } = new URL(listening.url);
    const socket = connect({ host: hostname.replace(/[[\]]/g, ''), port: Number(port) });
    await once(socket, 'connect');
    return { socket, ear: await ear, url: listening.url };
  }

  it.each([
    ['one above the limit', [0x00, 0x01, 0x00, 0x00]],
    ['of a web browser', [...Buffer.from('GET / HTTP/1.1\r\n\r\n')]],
    ['of the greatest number', [0xff, 0xff, 0xff, 0xff, 1, 2, 3]],
  ])('closes at a declared length %s', async (_name, bytes) => {
    const { socket, ear } = await accept();
    socket.write(Buffer.from(bytes));
    await ear.closed();
    expect(ear.closes[0]).toBeInstanceOf(LinkError);
    expect(ear.closes[0]?.code).toBe('LINK_FRAME_TOO_LONG');
    expect(ear.frames).toEqual([]);
    socket.destroy();
  });

  it('reads frames that come byte by byte, and several in one piece', async () => {
    const { socket, ear } = await accept();
    socket.setNoDelay(true);
    for (const byte of [0, 0, 0, 3, 7, 8, 9, 0, 0, 0]) {
      socket.write(Buffer.from([byte]));
      await new Promise((done) => setImmediate(done));
    }
    socket.write(Buffer.from([0, 0, 0, 0, 2, 5, 6]));
    await ear.frameCount(3);
    expect(ear.frames.map((frame) => [...frame])).toEqual([[7, 8, 9], [], [5, 6]]);
    socket.destroy();
  });

  it('says so when a stream ends inside a frame', async () => {
    const { socket, ear } = await accept();
    socket.end(Buffer.from([0, 0, 0, 9, 1, 2]));
    await ear.closed();
    expect(ear.closes[0]?.code).toBe('LINK_FRAME_BROKEN');
  });

  it('says so when the other end was reset', async () => {
    const { socket, ear } = await accept();
    socket.resetAndDestroy();
    await ear.closed();
    expect(ear.closes[0]?.code).toBe('LINK_RESET');
  });

  it('accepts over IPv6 and names who came', async () => {
    const { socket, ear, url } = await accept('tcp://[::1]:0');
    expect(url).toMatch(/^tcp:\/\/\[::1\]:\d+$/);
    expect(ear.link.remote).toMatch(/^tcp:\/\/\[::1\]:\d+$/);
    socket.destroy();
  });

  it('refuses an address that is not of this machine', async () => {
    const listening = transport.listen('tcp://192.0.2.1:0', () => undefined);
    await expect(listening).rejects.toMatchObject({ code: 'LINK_URL' });
  });
});
