import { describe, expect, it } from 'vitest';
import type { DialStatus } from '../../src/gossip/contract.ts';
import { toHex32 } from '../../src/model/bytes.ts';
import { Finding } from '../../src/participant/finding.ts';
import {
  FOUND_MAX,
  LAPSE_MS,
  PER_HOST_MAX,
  TRIAL_MS,
  WAITING_MAX,
} from '../../src/participant/found-places.ts';
import type { Announcement, DiscoveryHandler, Found } from '../../src/ports/discovery.ts';
import { VirtualTime } from './virtual-time.ts';

const TAG = 'ab12';
const SOMEBODY = toHex32(new Uint8Array(32));

/** A local network of which the test says what it brings. */
async function finding(
  listening: readonly string[] = ['tcp://0.0.0.0:7411'],
  known: string[] = [],
) {
  const seen = { own: [] as readonly Announcement[], dialled: [] as string[], stops: 0 };
  const forgotten: string[] = [];
  const troubles: string[] = [];
  const time = new VirtualTime();
  const dialled = new Set<string>();
  const there = new Set<string>();
  const full = new Set<string>();
  const statusOf = (url: string): DialStatus => {
    const isThere = there.has(url);
    const state = isThere ? 'linked' : 'waiting';
    const peer = isThere || full.has(url) ? SOMEBODY : null;
    const lastError = full.has(url) ? 'peer left: too-many-peers' : null;
    return { url, kind: 'tcp', state, peer, failures: 0, lastError };
  };
  const made = new Finding({
    timers: time,
    random: { fraction: () => 0.5 },
    discovery: {
      start: async (own: readonly Announcement[], _handler: DiscoveryHandler) => {
        seen.own = own;
        return {
          stop: () => {
            seen.stops += 1;
          },
        };
      },
    },
    tag: TAG,
    known,
    gossip: {
      dial: (url) => {
        seen.dialled.push(url);
        dialled.add(url);
      },
      forget: (url) => {
        forgotten.push(url);
        dialled.delete(url);
      },
      status: () => ({ dialling: [...dialled].map(statusOf) }),
    },
    onTrouble: (error) => troubles.push(error.message),
  });
  await made.start(listening);
  return { made, seen, forgotten, troubles, time, dialled, there, full };
}

const at = (changes: Partial<Found> = {}): Found => ({
  scheme: 'tcp',
  host: '192.0.2.7',
  port: 7411,
  tag: TAG,
  ...changes,
});

describe('discovery on the local network', () => {
  it('announces the tag and the ports that others can reach, and nothing else', async () => {
    const { seen } = await finding([
      'tcp://0.0.0.0:7411',
      'udp://[::]:7412',
      'tcp://127.0.0.1:7413',
      'udp://[::1]:7414',
      'mqtt://192.0.2.1:1883',
    ]);
    expect(seen.own).toEqual([
      { scheme: 'tcp', port: 7411, tag: TAG },
      { scheme: 'udp', port: 7412, tag: TAG },
    ]);
  });

  it('dials who announces the same tag, once, until it takes that back', async () => {
    const { made, seen, forgotten } = await finding();
    for (let n = 0; n < 3; n++) made.onFound(at());
    made.onFound(at({ scheme: 'udp', host: '2001:db8::1' }));
    expect(seen.dialled).toEqual(['tcp://192.0.2.7:7411', 'udp://[2001:db8::1]:7411']);
    made.onLost(at());
    expect(forgotten).toEqual(['tcp://192.0.2.7:7411']);
    made.onFound(at());
    expect(seen.dialled.length).toBe(3);
  });

  it.each([
    ['of another World', at({ tag: 'ab13' })],
    ['without a port', at({ port: 0 })],
    ['with a port that is none', at({ port: 70_000 })],
    ['with a name for an address', at({ host: 'example.org' })],
    ['that lacks the interface of its address', at({ host: 'fe80::1' })],
    ['that is dialled anyway', at({ host: '192.0.2.9' })],
  ])('passes over one %s', async (_name, found) => {
    const { made, seen, forgotten } = await finding([], ['tcp://192.0.2.9:7411']);
    made.onFound(found);
    made.onLost(found);
    expect(seen.dialled).toEqual([]);
    expect(forgotten).toEqual([]);
  });

  it('dials a bounded number of them, and of each address', async () => {
    const { made, dialled } = await finding();
    for (let port = 1; port <= 200; port++) made.onFound(at({ port }));
    expect(dialled.size).toBe(PER_HOST_MAX);
    for (let n = 0; n < 200; n++) made.onFound(at({ host: `198.51.100.${n}` }));
    expect(dialled.size).toBe(FOUND_MAX);
  });

  it('an address that has its share gives up one that was never reached', async () => {
    const { made, dialled, there, time } = await finding();
    for (let port = 1; port < PER_HOST_MAX; port++) {
      made.onFound(at({ port }));
      there.add(`tcp://192.0.2.7:${port}`);
    }
    made.onFound(at({ port: 1_000 }));
    time.pass(TRIAL_MS);
    made.onFound(at({ port: 1_001 }));
    expect(dialled).toEqual(new Set([...there, 'tcp://192.0.2.7:1001']));
    there.add('tcp://192.0.2.7:1001');
    time.pass(TRIAL_MS);
    made.onFound(at({ port: 1_002 }));
    expect(dialled).toEqual(there);
  });

  it('false names that fill all places lose them to whoever waits, in turn', async () => {
    const { made, dialled, time } = await finding();
    for (let n = 0; n < FOUND_MAX; n++) made.onFound(at({ host: `198.51.100.${n}` }));
    made.onFound(at({ host: '192.0.2.1' }));
    made.onFound(at({ host: '192.0.2.2' }));
    expect(dialled.has('tcp://192.0.2.1:7411')).toBe(false);
    time.pass(TRIAL_MS);
    expect(dialled.has('tcp://192.0.2.1:7411')).toBe(true);
    expect(dialled.has('tcp://192.0.2.2:7411')).toBe(true);
    expect(dialled.size).toBe(FOUND_MAX);
    expect(dialled.has('tcp://198.51.100.0:7411')).toBe(false);
    // Who lost its place has another turn.
    time.pass(2 * TRIAL_MS);
    expect(dialled.has('tcp://198.51.100.0:7411')).toBe(true);
  });

  it('who was reached keeps its place, whoever else announces, for a day', async () => {
    const { made, dialled, there, time } = await finding();
    made.onFound(at());
    const friend = 'tcp://192.0.2.7:7411';
    there.add(friend);
    time.pass(TRIAL_MS);
    for (let n = 0; n < 2 * WAITING_MAX; n++) {
      made.onFound(at({ host: `198.51.${n >> 8}.${n & 0xff}` }));
      if (n % 16 === 0) time.pass(TRIAL_MS);
    }
    expect(dialled.has(friend)).toBe(true);
    there.delete(friend);
    time.pass(LAPSE_MS - 2 * TRIAL_MS);
    expect(dialled.has(friend)).toBe(true);
    time.pass(3 * TRIAL_MS);
    expect(dialled.has(friend)).toBe(false);
  });

  it('who has no place for us gives way to whoever waits', async () => {
    const { made, dialled, there, full, time } = await finding();
    for (let n = 0; n < 2 * FOUND_MAX; n++) made.onFound(at({ host: `198.51.100.${n}` }));
    const [refused, ...taken] = [...dialled];
    full.add(refused!);
    for (const each of taken) there.add(each);
    time.pass(TRIAL_MS);
    expect(dialled.has(refused!)).toBe(false);
    expect(taken.every((each) => dialled.has(each))).toBe(true);
    expect(dialled.size).toBe(FOUND_MAX);
  });

  it('who has no place for us is not forgotten while nobody else waits', async () => {
    const { made, dialled, full, time } = await finding();
    made.onFound(at());
    for (const each of dialled) full.add(each);
    time.pass(10 * TRIAL_MS);
    expect(dialled.size).toBe(1);
  });

  it('a bounded number waits, and a new one takes the turn of another', async () => {
    const { made, dialled, time } = await finding();
    for (let n = 0; n < FOUND_MAX + WAITING_MAX; n++) {
      made.onFound(at({ host: `198.51.${n >> 8}.${n & 0xff}` }));
    }
    made.onFound(at({ host: '192.0.2.1' }));
    const heard = new Set<string>();
    for (let n = 0; n < 2 * (1 + WAITING_MAX / FOUND_MAX); n++) {
      time.pass(TRIAL_MS);
      for (const url of dialled) heard.add(url);
    }
    expect(heard.has('tcp://192.0.2.1:7411')).toBe(true);
    expect(heard.size).toBeLessThanOrEqual(FOUND_MAX + WAITING_MAX);
  });

  it('ends with what it began, and dials nobody afterwards', async () => {
    const { made, seen, troubles, time } = await finding();
    made.onTrouble(new Error('no multicast here'));
    expect(troubles).toEqual(['no multicast here']);
    made.stop();
    made.stop();
    made.onFound(at());
    expect(time.pending).toBe(0);
    expect(seen.stops).toBe(1);
    expect(seen.dialled).toEqual([]);
  });
});
