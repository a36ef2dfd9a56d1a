import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Mosquitto } from '../contract/mosquitto.ts';
import {
  identifierOf,
  MqttTap,
  PACKET_TYPES,
  type TappedPacket,
  type Way,
} from '../contract/mqtt-tap.ts';
import { idOf, payloadOf } from './gossip-samples.ts';
import { memberOf } from './identity-session-ends.ts';
import { allLinked, MqttHouse, type Resident } from './mqtt-house.ts';

const GROUP = idOf('group');
const [ANNA, BEN] = [memberOf(31), memberOf(32)];

/** The flag of a PUBLISH that was sent before (MQTT 3.1.1, 3.3.1.1). */
const REPEATED = 8;

let broker: Mosquitto;
let tap: MqttTap;
const house = new MqttHouse();

beforeAll(async () => {
  broker = await Mosquitto.start();
});

afterEach(async () => {
  await house.leave();
  await tap.close();
});

afterAll(async () => {
  await broker.kill();
});

const opposite = (way: Way): Way => (way === 'to-broker' ? 'to-client' : 'to-broker');

/**
 * Drops every second acknowledgement, both ways. @param isRepeated Is what was not acknowledged
 * sent again, as MQTT lets either end do?
 */
function dropHalf(isRepeated: boolean): Record<Way, number> {
  const dropped = { 'to-broker': 0, 'to-client': 0 };
  const counts = { 'to-broker': 0, 'to-client': 0 };
  const published = new Map<string, Buffer>();
  tap.copies = ({ way, type, bytes, connection }: TappedPacket) => {
    if (type === PACKET_TYPES.publish) {
      published.set(`${connection} ${way} ${identifierOf(bytes)}`, Buffer.from(bytes));
    }
    if (type !== PACKET_TYPES.acknowledgement) return 1;
    counts[way] += 1;
    if (counts[way] % 2 === 0) return 1;
    dropped[way] += 1;
    const back = opposite(way);
    const again = published.get(`${connection} ${back} ${identifierOf(bytes)}`);
    if (isRepeated && again !== undefined) {
      again[0]! |= REPEATED;
      tap.inject({ way: back, connection }, again);
    }
    return 0;
  };
  return dropped;
}

/** Each issues so many Blocks, and both have all of them in the end. @returns their ids. */
async function exchange(count: number, residents: readonly Resident[]) {
  const blocks = residents.flatMap(({ holder }) =>
    Array.from({ length: count }, () => holder.issue(GROUP, payloadOf(2_000)).id),
  );
  for (const { holder, until } of residents) {
    await until(() => blocks.every((id) => holder.payload(id) !== null));
  }
  return blocks;
}

const downsOf = ({ holder }: Resident) => holder.events.filter((each) => each.kind === 'down');

describe('acknowledgements of which half get lost, both ways', () => {
  it('and what they were for comes again: nothing is lost, nothing comes twice', async () => {
    tap = await MqttTap.start(broker.port);
    const dropped = dropHalf(true);
    const residents = [await house.join(ANNA, tap.url), await house.join(BEN, tap.url)];
    await allLinked(...residents);
    const blocks: string[] = [];
    for (let turn = 0; turn < 10; turn++) blocks.push(...(await exchange(10, residents)));
    expect(dropped['to-broker']).toBeGreaterThan(10);
    expect(dropped['to-client']).toBeGreaterThan(10);
    expect(residents.flatMap(downsOf)).toEqual([]);
    for (const { holder } of residents) {
      const counts = blocks.map((id) => holder.delivered.get(id) ?? 0);
      expect(Math.max(...counts)).toBe(1);
    }
  });

  it('and nothing comes again: who is held up joins anew, and nothing is lost', async () => {
    tap = await MqttTap.start(broker.port);
    const soon = { doubtMs: 1_000, announceMs: 2_000 };
    const residents = [await house.join(ANNA, tap.url, soon), await house.join(BEN, tap.url, soon)];
    await allLinked(...residents);
    const dropped = dropHalf(false);
    // The broker waits for an acknowledgement of each of twenty, and delivers no more.
    const talk = setInterval(() => {
      for (const { holder } of residents) holder.issue(GROUP, payloadOf(100));
    }, 20);
    const isLeft = () =>
      residents.some(({ lines }) =>
        lines.some(({ fields }) => `${fields['reason']}`.includes('delivers nothing')),
      );
    await expect
      .poll(isLeft, { timeout: 60_000 })
      .toBe(true)
      .finally(() => clearInterval(talk));
    tap.copies = () => 1;
    await exchange(1, residents);
    expect(dropped['to-client']).toBeGreaterThan(0);
    expect(dropped['to-broker']).toBeGreaterThanOrEqual(20);
  }, 120_000);
});
