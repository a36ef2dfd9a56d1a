import { describe, expect, it } from 'vitest';
import { Finding, FOUND_MAX } from '../../src/participant/finding.ts';
import type { Announcement, DiscoveryHandler, Found } from '../../src/ports/discovery.ts';

const TAG = 'ab12';

/** A local network of which the test says what it brings. */
async function finding(
  listening: readonly string[] = ['tcp://0.0.0.0:7411'],
  known: string[] = [],
) {
  const seen = { own: [] as readonly Announcement[], dialled: [] as string[], stops: 0 };
  const forgotten: string[] = [];
  const troubles: string[] = [];
  const made = new Finding({
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
    gossip: { dial: (url) => seen.dialled.push(url), forget: (url) => forgotten.push(url) },
    onTrouble: (error) => troubles.push(error.message),
  });
  await made.start(listening);
  return { made, seen, forgotten, troubles };
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

  it('dials a bounded number of them', async () => {
    const { made, seen } = await finding();
    for (let port = 1; port <= 200; port++) made.onFound(at({ port }));
    expect(seen.dialled.length).toBe(FOUND_MAX);
    made.onLost(at({ port: 1 }));
    made.onFound(at({ port: 199 }));
    expect(seen.dialled.at(-1)).toBe('tcp://192.0.2.7:199');
  });

  it('ends with what it began, and dials nobody afterwards', async () => {
    const { made, seen, troubles } = await finding();
    made.onTrouble(new Error('no multicast here'));
    expect(troubles).toEqual(['no multicast here']);
    made.stop();
    made.stop();
    made.onFound(at());
    expect(seen.stops).toBe(1);
    expect(seen.dialled).toEqual([]);
  });
});
