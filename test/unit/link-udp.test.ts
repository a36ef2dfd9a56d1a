import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { UdpTransport } from '../../src/gossip/links/udp.ts';
import { endOf, frameOf, helloOf, readDatagram } from '../../src/gossip/links/udp-datagram.ts';
import { UdpLink } from '../../src/gossip/links/udp-link.ts';
import { UdpListener } from '../../src/gossip/links/udp-listener.ts';
import { UdpRate } from '../../src/gossip/links/udp-rate.ts';
import { toHex } from '../../src/model/bytes.ts';
import type { Timers } from '../../src/ports/clock.ts';
import { type Link, LinkError, type Listening } from '../../src/ports/link.ts';
import { describeLinks, Ear } from '../contract/link.ts';
import { Stage } from './gossip-stage.ts';

/** The machine's own time: sockets are real here. */
const TIMERS: Timers = {
  monotonicMs: () => performance.now(),
  wallMs: () => Date.now(),
  after: (delayMs, wake) => {
    const timer = setTimeout(wake, delayMs);
    return () => clearTimeout(timer);
  },
};

const OPTIONS = { timers: TIMERS, bytesPerSecondMax: 4 * 1024 * 1024 };

async function bound(): Promise<Socket> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return socket;
}

async function closed(socket: Socket): Promise<void> {
  const gone = once(socket, 'close');
  socket.close();
  await gone;
}

describeLinks({
  name: 'udp',
  makeTransport: () => new UdpTransport(OPTIONS),
  freeUrl: () => 'udp://127.0.0.1:0',
  deadUrl: async () => {
    const socket = await bound();
    const { port } = socket.address();
    await closed(socket);
    return `udp://127.0.0.1:${port}`;
  },
  brokenUrls: [
    'udp://127.0.0.1',
    'udp://127.0.0.1:0',
    'udp://127.0.0.1:70000',
    'udp://:7411',
    'udp://user@127.0.0.1:7411',
    'udp://127.0.0.1:7411/path',
    'tcp://127.0.0.1:7411',
    'nonsense',
  ],
});

const ID = '0102030405060708';

describe('a udp listener', () => {
  const transport = new UdpTransport(OPTIONS);
  const open: (Listening | Link)[] = [];
  const sockets: Socket[] = [];

  afterEach(async () => {
    for (const socket of sockets.splice(0)) await closed(socket);
    for (const each of open.splice(0)) {
      if ('kind' in each) each.close(new LinkError('LINK_RESET', 'test is over'));
      else await each.close();
    }
  });

  async function listening() {
    const links: Ear[] = [];
    const each = await transport.listen('udp://127.0.0.1:0', (link) => links.push(new Ear(link)));
    open.push(each);
    return { links, url: each.url, port: Number(new URL(each.url).port) };
  }

  /** A socket of nobody's link, and what it was sent. */
  async function stranger(port: number) {
    const socket = await bound();
    sockets.push(socket);
    const ask = async (bytes: Uint8Array): Promise<Uint8Array> => {
      const answer = once(socket, 'message');
      socket.send(bytes, port, '127.0.0.1');
      return (await answer)[0] as Uint8Array;
    };
    return { socket, ask };
  }

  it('answers a call with less than it took, and makes no link of it', async () => {
    const { links, port } = await listening();
    const { ask } = await stranger(port);
    const hello = helloOf(ID);
    const answer = await ask(hello);
    expect(readDatagram(answer)).toMatchObject({ kind: 'cookie', id: ID });
    expect(answer.length).toBeLessThan(hello.length);
    expect(links).toEqual([]);
  });

  it('makes a link of its own cookie alone, sent from where it went, and only one', async () => {
    const { links, port } = await listening();
    const [one, other] = [await stranger(port), await stranger(port)];
    const open = Buffer.from(await one.ask(helloOf(ID)));
    open[0] = 3;
    const forged = Buffer.from(open);
    forged[20]! ^= 1;
    // Neither is answered; what is asked afterwards is.
    one.socket.send(forged, port, '127.0.0.1');
    other.socket.send(open, port, '127.0.0.1');
    await other.ask(helloOf('ffffffffffffffff'));
    await one.ask(helloOf('eeeeeeeeeeeeeeee'));
    expect(links.length).toBe(0);
    expect(readDatagram(await one.ask(open))?.kind).toBe('accept');
    expect(readDatagram(await one.ask(open))?.kind).toBe('accept');
    expect(links.length).toBe(1);
    links[0]?.link.close(new LinkError('LINK_RESET', 'test is over'));
  });

  it('leaves aside what comes from port 0, to which nobody can answer', async () => {
    const seen: string[] = [];
    const socket = createSocket('udp4');
    new UdpListener(OPTIONS, socket, () => seen.push('link'));
    for (const bytes of [helloOf(ID), frameOf(ID, 7, new Uint8Array(20)), endOf(ID, false, 0)]) {
      socket.emit('message', bytes, { address: '127.0.0.1', port: 0 });
    }
    expect(seen).toEqual([]);
    await closed(socket);
  });

  it('tells whoever goes on with a link that it does not know', async () => {
    const { port } = await listening();
    const { ask } = await stranger(port);
    const answer = readDatagram(await ask(frameOf(ID, 7, new Uint8Array(20))));
    expect(answer).toMatchObject({ kind: 'end', id: ID });
    expect(answer?.rest[0]).toBe(1);
  });

  it('hears a frame once, however often its datagram comes, and none that is broken', async () => {
    const { links, port } = await listening();
    const { socket, ask } = await stranger(port);
    const request = Buffer.from(await ask(helloOf(ID)));
    request[0] = 3;
    await ask(request);
    const ear = links[0]!;
    const send = (bytes: Uint8Array) => socket.send(bytes, port, '127.0.0.1');
    send(new Uint8Array(0));
    send(frameOf(ID, 0, Uint8Array.of(1)).subarray(0, 11));
    send(new Uint8Array(1_400).fill(5));
    for (const sequence of [2, 0, 2, 1, 0]) send(frameOf(ID, sequence, Uint8Array.of(sequence)));
    await ear.frameCount(3);
    send(endOf(ID, false, 3));
    await ear.closed();
    expect(ear.frames.map((frame) => frame[0])).toEqual([2, 0, 1]);
    expect(ear.closes).toEqual([null]);
    expect(ear.link.repairs?.broken).toBe(2);
  });
});

/** A link without a socket: what it posts is kept. */
function bare(stage = new Stage(), bytesPerSecondMax = 1_000_000) {
  const posted: { kind: string; to: number; bytes: number }[] = [];
  const home = { host: '192.0.2.1', port: 1 };
  const link = new UdpLink({
    id: ID,
    remote: 'udp://192.0.2.1:1',
    timers: stage,
    bytesPerSecondMax,
    address: home,
    post: (bytes, to) => {
      const { length } = bytes;
      posted.push({ kind: readDatagram(bytes)?.kind ?? 'none', to: to.port, bytes: length });
    },
    onGone: () => undefined,
  });
  const receive = (bytes: Uint8Array, port = 1) => {
    link.receive(readDatagram(bytes)!, { host: '192.0.2.1', port });
  };
  return { stage, link, posted, receive };
}

describe('a udp link', () => {
  it('goes to another address when a frame from there was vouched for, and not before', () => {
    const { link, posted, receive } = bare();
    let isTrusting = false;
    const heard: number[] = [];
    link.handle({
      onFrame: (frame) => {
        heard.push(frame[0]!);
        if (isTrusting) link.vouch();
      },
      onDrain: () => undefined,
      onClose: () => undefined,
    });
    receive(frameOf(ID, 0, Uint8Array.of(1)), 2);
    receive(endOf(ID, true, 0), 2);
    link.send(Uint8Array.of(9));
    expect(posted.at(-1)).toMatchObject({ kind: 'frame', to: 1 });
    isTrusting = true;
    receive(frameOf(ID, 0, Uint8Array.of(2)), 3);
    link.send(Uint8Array.of(9));
    expect(posted.at(-1)).toMatchObject({ kind: 'frame', to: 3 });
    expect(heard).toEqual([1, 2]);
  });

  it('ends without a sign of life, and gives one itself', async () => {
    const { stage, link, posted, receive } = bare();
    const ear = new Ear(link);
    await stage.advance(20_000);
    expect(posted.map(({ kind }) => kind)).toEqual(['heard']);
    receive(frameOf(ID, 0, Uint8Array.of(1)));
    await stage.advance(50_000);
    expect(ear.closes).toEqual([]);
    await stage.advance(30_000);
    expect(ear.closes[0]?.code).toBe('LINK_TIMEOUT');
  });

  it('says good-bye a few times, then goes without an answer', async () => {
    const { stage, link, posted } = bare();
    const ear = new Ear(link);
    link.send(Uint8Array.of(1));
    link.close();
    await stage.advance(5_000);
    expect(ear.closes).toEqual([null]);
    expect(posted.map(({ kind }) => kind)).toEqual(['frame', 'end', 'end', 'end', 'end', 'end']);
  });

  it('sends no faster than it may, whatever waits', async () => {
    const { stage, link, posted } = bare(new Stage(), 50_000);
    new Ear(link);
    for (let n = 0; n < 400; n++) link.send(new Uint8Array(1_000));
    await stage.advance(2_000);
    const bytes = posted.reduce((sum, each) => sum + each.bytes, 0);
    expect(bytes).toBeGreaterThan(60_000);
    expect(bytes).toBeLessThan(110_000);
  });

  it('holds a bounded number of frames while paused', () => {
    const { link, receive } = bare();
    const ear = new Ear(link);
    link.pause();
    for (let n = 0; n < 1_000; n++) receive(frameOf(ID, n, new Uint8Array(1_000)));
    expect(ear.frames).toEqual([]);
    link.resume();
    return ear
      .until(() => ear.frames.length > 200)
      .then(() => {
        expect(ear.frames.length).toBeLessThan(270);
      });
  });
});

describe('a paused udp link', () => {
  it('holds a bounded number of empty frames as well', async () => {
    const { link, receive } = bare();
    const ear = new Ear(link);
    link.pause();
    for (let n = 0; n < 10_000; n++) receive(frameOf(ID, n, new Uint8Array(0)));
    link.resume();
    await ear.until(() => ear.frames.length > 0);
    expect(ear.frames.length).toBeLessThan(5_000);
  });
});

describe('the rate of a udp link', () => {
  /** Runs one second in which all that may leaves, and so much of it is lost. */
  function run(rate: UdpRate, seconds: number, lossRatio: number): number {
    let nowMs = 0;
    let [sent, come] = [0, 0];
    for (; nowMs < seconds * 1_000; nowMs += 10) {
      while (rate.take(1_200, nowMs) === 0) {
        sent += 1;
        if ((sent * 7) % 100 >= lossRatio * 100) come += 1;
      }
      if (nowMs % 20 === 0) rate.heard(sent, come, nowMs);
    }
    return rate.bytesPerSecond;
  }

  it('rises to what it may while all arrives', () => {
    expect(run(new UdpRate(2_000_000, 0), 10, 0)).toBe(2_000_000);
  });

  it('falls where much is lost, and not to nothing', () => {
    const bytesPerSecond = run(new UdpRate(2_000_000, 0), 10, 0.3);
    expect(bytesPerSecond).toBeGreaterThanOrEqual(32 * 1024);
    expect(bytesPerSecond).toBeLessThan(150_000);
  });

  it('bears the little that a radio loses', () => {
    expect(run(new UdpRate(2_000_000, 0), 10, 0.01)).toBeGreaterThan(500_000);
  });

  it('falls when nothing is heard of what was sent', () => {
    const rate = new UdpRate(2_000_000, 0);
    for (let nowMs = 0; nowMs < 5_000; nowMs += 10) rate.awaits(100, nowMs);
    expect(rate.bytesPerSecond).toBe(32 * 1024);
  });
});

describe('the datagrams of a udp link', () => {
  it('lie on the wire as they ever did', () => {
    expect(toHex(frameOf(ID, 0x0a0b0c0d, Uint8Array.of(1, 2)))).toBe(`05${ID}0a0b0c0d0102`);
    expect(toHex(endOf(ID, true, 5))).toBe(`07${ID}0100000005`);
    expect(toHex(helloOf(ID))).toBe(`01${ID}${'00'.repeat(24)}`);
  });
});
