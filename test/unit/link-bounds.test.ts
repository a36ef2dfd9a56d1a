import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { MqttConnection } from '../../src/gossip/links/mqtt-connection.ts';
import { parseMqttUrl } from '../../src/gossip/links/mqtt-url.ts';
import type { SerialLink } from '../../src/gossip/links/serial-link.ts';
import type { SerialPortHandler } from '../../src/gossip/links/serial-port.ts';
import { SerialReceiver } from '../../src/gossip/links/serial-receiver.ts';
import { SERIAL_WINDOW } from '../../src/gossip/links/serial-sender.ts';
import { SerialStation, type SerialStationParts } from '../../src/gossip/links/serial-station.ts';
import { parseSerialUrl } from '../../src/gossip/links/serial-url.ts';
import { loadKernel } from '../../src/kernel/kernel.ts';
import { LinkError } from '../../src/ports/link.ts';
import { SeededRandom, Stage } from './gossip-stage.ts';

const RANDOM = { bytes: (count: number) => new Uint8Array(count).fill(7), fraction: () => 0.5 };
const CHECKSUM = { crc32: () => 0 };

/** A station whose device the test plays. @param onOpen What the device does while it is opened. */
function station(onOpen: (tries: number, handler: SerialPortHandler) => void) {
  const stage = new Stage();
  const seen = { tries: 0, writes: 0, troubles: 0 };
  const made = new SerialStation(
    {
      timers: stage,
      random: RANDOM,
      checksum: CHECKSUM,
      openPort: async (_address, handler) => {
        seen.tries += 1;
        onOpen(seen.tries, handler);
        return {
          write: () => {
            seen.writes += 1;
          },
          close: async () => undefined,
        };
      },
    },
    parseSerialUrl('serial:///dev/ttyTEST'),
    {
      onLink: () => undefined,
      onTrouble: () => {
        seen.troubles += 1;
      },
    },
  );
  return { stage, seen, made };
}

describe('a serial station', () => {
  it('opens a device again that went while it was being opened', async () => {
    const { stage, seen, made } = station((tries, handler) => {
      if (tries === 1) handler.onGone(new LinkError('LINK_RESET', 'unplugged'));
    });
    made.start();
    await stage.advance(100);
    expect(seen).toEqual({ tries: 1, writes: 0, troubles: 1 });
    await stage.advance(5_000);
    expect(seen.tries).toBe(2);
    expect(seen.writes).toBeGreaterThan(0);
    made.stop();
  });

  it('gives a port that takes nothing no more and more calls', async () => {
    const { stage, seen, made } = station(() => undefined);
    made.start();
    await stage.advance(600_000);
    const { writes } = seen;
    await stage.advance(600_000);
    expect(seen.writes).toBe(writes);
    made.stop();
  });
});

/** Two stations and the cable between them. @param onLink What either does with a link. */
async function cable(onLink: (link: SerialLink, stage: Stage) => void) {
  const stage = new Stage();
  const { checksum } = loadKernel();
  const ports: (SerialPortHandler | null)[] = [null, null];
  const seen = { meetings: 0 };
  const ends = [0, 1].map((own) => {
    const parts: SerialStationParts = {
      timers: stage,
      random: new SeededRandom(own + 1),
      checksum,
      openPort: async (_address, handler) => {
        ports[own] = handler;
        return {
          write: (bytes, done) => {
            const copy = bytes.slice();
            stage.after(1, () => {
              done();
              ports[1 - own]?.onData(copy);
            });
          },
          close: async () => undefined,
        };
      },
    };
    const address = parseSerialUrl(`serial:///dev/ttyTEST${own}`);
    return new SerialStation(parts, address, {
      onLink: (link) => {
        seen.meetings += 1;
        link.handle({
          onFrame: () => undefined,
          onDrain: () => undefined,
          onClose: () => undefined,
        });
        onLink(link, stage);
      },
      onTrouble: () => undefined,
    });
  });
  for (const each of ends) each.start();
  await stage.advance(500);
  return { stage, seen, ends };
}

describe('two ends of a cable', () => {
  it('that part as soon as they meet, as two Worlds do, meet ever more seldom', async () => {
    const { stage, seen, ends } = await cable((link, stage) => {
      stage.after(100, () => link.close(new LinkError('LINK_FRAME_BROKEN', 'another World')));
    });
    await stage.advance(600_000);
    const { meetings } = seen;
    await stage.advance(3_600_000);
    // At most one a minute at either end.
    expect(seen.meetings - meetings).toBeLessThanOrEqual(2 * 61);
    expect(seen.meetings).toBeGreaterThan(meetings);
    for (const each of ends) each.stop();
  });

  it('meet again at once after a session that stood for a while', async () => {
    const links: SerialLink[] = [];
    const { stage, seen, ends } = await cable((link) => {
      links.push(link);
    });
    for (let count = 1; count <= 5; count++) {
      expect(seen.meetings).toBe(2 * count);
      await stage.advance(60_000);
      links.at(-1)?.close(new LinkError('LINK_RESET', 'a restart'));
      await stage.advance(500);
    }
    for (const each of ends) each.stop();
  });
});

describe('a serial receiver', () => {
  it('holds a bounded number of empty frames that nobody fetches', () => {
    const receiver = new SerialReceiver();
    let held = 0;
    for (let n = 0; n < 1_000; n++) {
      const part = { sequence: receiver.awaited, payload: new Uint8Array(0), isLast: true };
      if (receiver.take(part) === 'in-order') held += 1;
    }
    expect(held).toBe(2 * SERIAL_WINDOW);
    receiver.fetch();
    const part = { sequence: receiver.awaited, payload: new Uint8Array(0), isLast: true };
    expect(receiver.take(part)).toBe('in-order');
  });
});

describe('a connection to a broker', () => {
  it('is given up where the broker lets us in and never answers SUBSCRIBE', async () => {
    const alarms = new Map<number, () => void>();
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.on('data', (bytes) => {
        // CONNECT is accepted; SUBSCRIBE is heard, and the time for it passes.
        if (bytes[0] === 0x10) socket.write(Uint8Array.of(0x20, 2, 0, 0));
        else if (bytes[0] === 0x82) alarms.get(4_321)?.();
      });
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const at = server.address();
    const port = at !== null && typeof at === 'object' ? at.port : 0;
    const opening = MqttConnection.open({
      address: parseMqttUrl(`mqtt://127.0.0.1:${port}`),
      clientId: 'vb1test',
      login: null,
      timers: {
        monotonicMs: () => 0,
        wallMs: () => 0,
        after: (delayMs, wake) => {
          alarms.set(delayMs, wake);
          return () => alarms.delete(delayMs);
        },
      },
      keepAliveMs: 60_000,
      connectMs: 4_321,
      signal: new AbortController().signal,
      topics: ['a', 'b'],
      will: { topic: 'a', payload: Uint8Array.of(1) },
      onMessage: () => undefined,
      onEnd: () => undefined,
    });
    await expect(opening).rejects.toMatchObject({ code: 'LINK_TIMEOUT' });
    server.close();
  });
});
