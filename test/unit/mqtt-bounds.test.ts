import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { MqttConnection } from '../../src/gossip/links/mqtt-connection.ts';
import { MqttGauge, PACKET_BYTES_MAX } from '../../src/gossip/links/mqtt-gauge.ts';
import { MqttLink } from '../../src/gossip/links/mqtt-link.ts';
import { decodePacket, encodePacket } from '../../src/gossip/links/mqtt-packet.ts';
import { deriveLinkKeys, PacketOpener, PacketSeal } from '../../src/gossip/links/mqtt-seal.ts';
import { UNHEARD_MAX } from '../../src/gossip/links/mqtt-unheard.ts';
import { parseMqttUrl } from '../../src/gossip/links/mqtt-url.ts';
import type { LinkError } from '../../src/ports/link.ts';
import { Ear } from '../contract/link.ts';
import { Mosquitto } from '../contract/mosquitto.ts';
import { MqttTap, PACKET_TYPES } from '../contract/mqtt-tap.ts';
import { countedTimers, guest, TIMERS } from './mqtt-stage.ts';
import { VirtualTime } from './virtual-time.ts';

const filled = (value: number, length: number) => new Uint8Array(length).fill(value);

/** A link, and the other end of it in the test's own hand. */
function linkAndPartner() {
  const time = new VirtualTime();
  const ends = { openerInbox: filled(1, 16), acceptorInbox: filled(2, 16) };
  const ids = { openerId: filled(3, 8), acceptorId: filled(4, 8) };
  const keys = deriveLinkKeys(filled(5, 32), { ...ends, ...ids });
  const opener = new PacketOpener(keys.toAcceptor);
  const seal = new PacketSeal(keys.toOpener, ids.openerId);
  const said: number[] = [];
  let taken = 0;
  const link = new MqttLink({
    remote: 'mqtt://broker/partner',
    timers: time,
    doubtMs: 1_000_000_000,
    seal: new PacketSeal(keys.toAcceptor, ids.acceptorId),
    opener: new PacketOpener(keys.toOpener),
    publish: (bytes) => {
      taken = decodePacket(opener.open(bytes)!.plain)!.taken;
      return said.push(bytes.length);
    },
    retire: () => undefined,
    onDoubt: () => undefined,
    onEnd: () => undefined,
  });
  const ear = new Ear(link);
  /** @param heard What the partner says that it heard. */
  const send = (heard: number) => {
    const frame = filled(7, 100);
    link.receive(seal.seal(encodePacket({ kind: 'frame', heard, taken: 0, frame })));
  };
  return { ear, said, send, time, taken: () => taken };
}

describe('a link over a broker', () => {
  it('ends where the other end sends on and on and never says what it heard', async () => {
    const { ear, said, send } = linkAndPartner();
    for (let n = 0; n < 100 * UNHEARD_MAX; n++) send(0);
    await ear.closed();
    expect(ear.closes[0]?.code).toBe('LINK_FRAME_BROKEN');
    expect(said.length).toBe(UNHEARD_MAX + 1);
  });

  it('carries any number of frames from an end that says it', () => {
    const { ear, said, send } = linkAndPartner();
    for (let n = 0; n < 100 * UNHEARD_MAX; n++) send(said.length);
    expect(ear.frames.length).toBe(100 * UNHEARD_MAX);
    expect(ear.closes).toEqual([]);
  });
});

describe('what a broker sends', () => {
  const packet = (type: number, length: number): Buffer => {
    const digits: number[] = [type];
    for (let left = length; ; left = Math.floor(left / 128)) {
      digits.push((left % 128) + (left >= 128 ? 128 : 0));
      if (left < 128) break;
    }
    return Buffer.concat([Buffer.from(digits), Buffer.alloc(length)]);
  };
  const breaches = (bytes: Uint8Array, step: number): string[] => {
    const found: string[] = [];
    const gauge = new MqttGauge((why) => found.push(why));
    for (let at = 0; at < bytes.length; at += step) gauge.read(bytes.subarray(at, at + step));
    return found;
  };
  const PUBLISH = 0x32;

  it('is taken up to a bound, however it is cut into pieces', () => {
    const lengths = [0, 1, 127, 128, 70_000, PACKET_BYTES_MAX, 0, 2];
    const stream = Buffer.concat(lengths.map((length) => packet(PUBLISH, length)));
    for (const step of [1, 2, 3, 1_000, 65_536, stream.length]) {
      expect(breaches(stream, step)).toEqual([]);
    }
  });

  it.each([
    ['longer than that', packet(PUBLISH, PACKET_BYTES_MAX + 1).subarray(0, 5)],
    ['with a length that does not end', Buffer.from([PUBLISH, 128, 128, 128, 128])],
    ['of QoS 2', packet(0x34, 10)],
  ])('is refused at its head where it is %s, once', (_name, head) => {
    const stream = Buffer.concat([packet(0x20, 2), packet(PUBLISH, 500), head]);
    for (const step of [1, 7, stream.length]) expect(breaches(stream, step).length).toBe(1);
  });
});

describe('a connection to a broker', () => {
  it('ends at the head of a packet that would be too long', async () => {
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.on('data', (bytes) => {
        if (bytes[0] === 0x10) socket.write(Uint8Array.of(0x20, 2, 0, 0));
        if (bytes[0] !== 0x82) return;
        const number = bytes.subarray(2, 4);
        socket.write(Buffer.concat([Buffer.of(0x90, 3), number, Buffer.of(1)]));
        socket.write(Uint8Array.of(0x32, 0xff, 0xff, 0xff, 0x7f));
      });
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const at = server.address();
    const port = typeof at === 'object' && at !== null ? at.port : 0;
    const error = await new Promise<LinkError | null>((resolve) => {
      MqttConnection.open({
        address: parseMqttUrl(`mqtt://127.0.0.1:${port}`),
        clientId: 'vb1test',
        login: null,
        timers: TIMERS,
        keepAliveMs: 60_000,
        connectMs: 60_000,
        topics: ['a'],
        signal: new AbortController().signal,
        will: { topic: 'a', payload: Uint8Array.of(1) },
        onMessage: () => undefined,
        onEnd: resolve,
      }).catch(resolve);
    });
    expect(error?.code).toBe('LINK_FRAME_TOO_LONG');
    server.close();
  });
});

describe('a broker that is being joined', () => {
  let broker: Mosquitto;
  const silent: Server[] = [];
  const taps: MqttTap[] = [];
  const sockets: Socket[] = [];

  beforeAll(async () => {
    broker = await Mosquitto.start();
  });

  afterEach(async () => {
    for (const each of sockets.splice(0)) each.destroy();
    for (const each of silent.splice(0)) each.close();
    for (const each of taps.splice(0)) await each.close();
  });

  afterAll(async () => {
    await broker.kill();
  });

  const joining = (name: string) => {
    const { timers, pending } = countedTimers();
    const dialMs = 10_000_000;
    return { ...guest({ name, timers, dialMs, doubtMs: dialMs }), pending };
  };

  it('is let go when nobody wants it any more, before it said a word', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    silent.push(server);
    await once(server, 'listening');
    const at = server.address();
    const port = typeof at === 'object' && at !== null ? at.port : 0;
    const { transport, pending, lines } = joining('anna');
    const accepted = once(server, 'connection');
    const listening = await transport.listen(`mqtt://127.0.0.1:${port}`, () => undefined);
    const socket: Socket = (await accepted)[0];
    sockets.push(socket);
    socket.resume();
    socket.on('error', () => undefined);
    const closed = once(socket, 'close');
    await listening.close();
    await closed;
    await expect.poll(() => pending.size).toBe(0);
    expect(lines).toEqual([]);
  });

  it('is let go before it brought back the message of our own', async () => {
    const tap = await MqttTap.start(broker.port);
    taps.push(tap);
    const echoed = new Promise<void>((resolve) => {
      tap.copies = ({ way, type }) => {
        if (way !== 'to-client' || type !== PACKET_TYPES.publish) return 1;
        resolve();
        return 0;
      };
    });
    const { transport, pending, lines } = joining('anna');
    const listening = await transport.listen(tap.url, () => undefined);
    await echoed;
    await listening.close();
    await expect.poll(() => pending.size).toBe(0);
    await expect.poll(() => tap.open).toBe(0);
    expect(lines).toEqual([]);
  });

  it('is joined by who wants it again at once', async () => {
    const { transport, said, pending } = joining('anna');
    const first = await transport.listen(broker.url, () => undefined);
    await first.close();
    const second = await transport.listen(broker.url, () => undefined);
    await said('broker-up');
    expect(second.trouble).toBe(null);
    await second.close();
    await expect.poll(() => pending.size).toBe(0);
  });
});
