import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { LISTED_MAX, MdnsDiscovery } from '../../src/gossip/mdns-discovery.ts';
import type { DiscoveryHandler, DiscoveryRun, Found } from '../../src/ports/discovery.ts';
import { VirtualTime } from './virtual-time.ts';

const TYPE = '_vertebra._tcp.local';
const HOUR_MS = 3_600_000;

let cleanUp: (() => unknown)[] = [];

afterEach(async () => {
  for (const each of cleanUp.reverse()) await each();
  cleanUp = [];
});

async function socketAt(port: number): Promise<Socket> {
  const socket = createSocket('udp4').bind(port, '0.0.0.0');
  await once(socket, 'listening');
  return socket;
}

/** Names of DNS are lengths and labels, and end with 0. */
function nameOf(name: string): Buffer {
  const labels = name.split('.').map((each) => Buffer.from(`\0${each}`));
  for (const each of labels) each[0] = each.length - 1;
  return Buffer.concat([...labels, Buffer.of(0)]);
}

function record(name: string, type: number, data: Buffer): Buffer {
  const head = Buffer.alloc(10);
  head.writeUInt16BE(type, 0);
  head.writeUInt16BE(1, 2);
  head.writeUInt32BE(120, 4);
  head.writeUInt16BE(data.length, 8);
  return Buffer.concat([nameOf(name), head, data]);
}

/** What a Participant announces: PTR, SRV and TXT. @source RFC 6763 */
function announcement(instance: string, port: number, tag: string): Buffer {
  const whole = `${instance}.${TYPE}`;
  const head = Buffer.alloc(12);
  head.writeUInt16BE(0x8400, 2);
  head.writeUInt16BE(3, 6);
  const place = Buffer.concat([Buffer.of(0, 0, 0, 0, port >> 8, port & 0xff), nameOf('h.local')]);
  const text = Buffer.from(`\0tag=${tag}`);
  text[0] = text.length - 1;
  return Buffer.concat([
    head,
    record(TYPE, 12, nameOf(whole)),
    record(whole, 33, place),
    record(whole, 16, text),
  ]);
}

/** A discovery at a port of its own, and all that it hears. */
async function discovery(port: number) {
  const time = new VirtualTime();
  const found: Found[] = [];
  const troubles: string[] = [];
  let heard: () => void = () => undefined;
  const handler: DiscoveryHandler = {
    onFound: (each) => {
      found.push(each);
      heard();
    },
    onLost: () => undefined,
    onTrouble: ({ message }) => {
      troubles.push(message);
      heard();
    },
  };
  const run: DiscoveryRun = await new MdnsDiscovery({ timers: time, port }).start([], handler);
  cleanUp.push(() => run.stop());
  const until = async (isSo: () => boolean) => {
    while (!isSo()) {
      await new Promise<void>((resolve) => {
        heard = resolve;
      });
    }
  };
  return { time, found, troubles, until, run };
}

describe('discovery by mDNS', () => {
  it('goes on without where another has the port, says so once, and tries again', async () => {
    const taken = await socketAt(0);
    const { port } = taken.address();
    const { time, found, troubles, until } = await discovery(port);
    await until(() => troubles.length > 0);
    expect(troubles[0]).toMatch('EADDRINUSE');
    // Each of these tries fails as well; whichever way, no time passes for those that follow.
    for (let n = 0; n < 3; n++) {
      time.pass(HOUR_MS);
      await new Promise(setImmediate);
    }
    await new Promise<void>((resolve) => taken.close(() => resolve()));
    time.pass(HOUR_MS);
    const teller = await socketAt(0);
    cleanUp.push(() => teller.close());
    // The port is open at some time; until then nobody hears it.
    const repeat = setInterval(() => {
      teller.send(announcement('other', 7411, 'ab12'), port, '127.0.0.1');
    }, 20);
    await until(() => found.length > 0).finally(() => clearInterval(repeat));
    expect(found[0]).toMatchObject({ scheme: 'tcp', host: '127.0.0.1', port: 7411, tag: 'ab12' });
    expect(troubles.length).toBe(1);
  });

  it('lists a bounded number of others, and begins its list anew', async () => {
    const probe = await socketAt(0);
    const { port } = probe.address();
    await new Promise<void>((resolve) => probe.close(() => resolve()));
    const { time, found, until } = await discovery(port);
    const teller = await socketAt(0);
    cleanUp.push(() => teller.close());
    let count = 0;
    const tell = () => {
      teller.send(announcement(`i${count++ % 1_000}`, 7411, 'ab12'), port, '127.0.0.1');
    };
    const repeat = setInterval(() => {
      for (let n = 0; n < 20; n++) tell();
    }, 5);
    cleanUp.push(() => clearInterval(repeat));
    await until(() => found.length === LISTED_MAX);
    // In the meantime others are passed over, however many come.
    const enough = count + 1_000;
    await expect.poll(() => count).toBeGreaterThan(enough);
    expect(found.length).toBe(LISTED_MAX);
    time.pass(60_000);
    await until(() => found.length > LISTED_MAX);
  });
});
