import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BlockId } from '../../src/model/block.ts';
import { toHex } from '../../src/model/bytes.ts';
import { Mosquitto } from '../contract/mosquitto.ts';
import { MqttTap, PACKET_TYPES, publishOf } from '../contract/mqtt-tap.ts';
import { idOf, payloadOf } from './gossip-samples.ts';
import { memberOf } from './identity-session-ends.ts';
import { allLinked, MqttHouse, type Resident } from './mqtt-house.ts';

const GROUP = idOf('group');
const MEMBERS = [memberOf(31), memberOf(32), memberOf(33)] as const;
const BLOCKS = 10;
const PAYLOAD_BYTES = 8_000;

/** However busy the machine is, what is on its way comes first. */
const PATIENT_MS = 600_000;

let broker: Mosquitto;
let tap: MqttTap;
const house = new MqttHouse();

beforeEach(async () => {
  broker = await Mosquitto.start();
  tap = await MqttTap.start(broker.port);
});

afterEach(async () => {
  await house.leave();
  await tap.close();
  await broker.kill();
});

/** What clients give the broker from now on: long messages by their topic. */
function watch() {
  const long: string[] = [];
  tap.copies = ({ way, type, bytes }) => {
    if (way === 'to-broker' && type === PACKET_TYPES.publish) {
      const { topic, payload } = publishOf(bytes);
      if (payload.length > PAYLOAD_BYTES) long.push(topic.split('/').at(-1) ?? '');
    }
    return 1;
  };
  return long;
}

/** @param settleMs How long something must be missing before it is asked for. */
const all = (mqttBroadcast: 'no' | 'yes', settleMs: number) =>
  Promise.all(
    MEMBERS.map((each) => house.join(each, tap.url, { settings: { mqttBroadcast, settleMs } })),
  );

async function issueOneByOne(from: Resident, to: readonly Resident[]): Promise<void> {
  for (let n = 0; n < BLOCKS; n++) {
    const { id } = from.holder.issue(GROUP, payloadOf(PAYLOAD_BYTES, n));
    for (const { holder, until } of to) await until(() => holder.payload(id) !== null);
  }
}

describe('three Participants at one broker', () => {
  it('give it each Block once for all where they say so', async () => {
    const residents = await all('yes', PATIENT_MS);
    const [anna, ...others] = residents as [Resident, Resident, Resident];
    await allLinked(...residents);
    const long = watch();
    // The first may go to each for itself: until they have the keys.
    await issueOneByOne(anna, others);
    const before = long.length;
    await issueOneByOne(anna, others);
    expect(long.slice(before)).toEqual(Array.from({ length: BLOCKS }, () => 'all'));
    const text = long.join();
    expect(text).not.toContain(toHex(MEMBERS[0].avatar.id).slice(0, 16));
    for (const { holder } of others) {
      const counts = [...holder.delivered.values()];
      expect(Math.max(...counts)).toBe(1);
    }
  });

  it('give it each Block once for each of the others where they do not', async () => {
    const residents = await all('no', PATIENT_MS);
    const [anna, ...others] = residents as [Resident, Resident, Resident];
    await allLinked(...residents);
    const long = watch();
    await issueOneByOne(anna, others);
    expect(long.length).toBeGreaterThanOrEqual(2 * BLOCKS);
    expect(long).not.toContain('all');
  });

  it('have all of it in the end where half of that is lost on its way to them', async () => {
    const residents = await all('yes', 20);
    await allLinked(...residents);
    let count = 0;
    let lost = 0;
    tap.copies = ({ way, type, bytes }) => {
      if (way !== 'to-client' || type !== PACKET_TYPES.publish) return 1;
      const { topic, payload } = publishOf(bytes);
      if (!topic.endsWith('/all') || payload.length < 200) return 1;
      count += 1;
      if (count % 2 === 0) return 1;
      lost += 1;
      return 0;
    };
    const ids: BlockId[] = [];
    for (let n = 0; n < BLOCKS; n++) {
      for (const { holder } of residents) ids.push(holder.issue(GROUP, payloadOf(500, n)).id);
      await new Promise(setImmediate);
    }
    for (const { holder, until } of residents) {
      await until(() => ids.every((id) => holder.payload(id) !== null));
    }
    expect(lost).toBeGreaterThan(0);
  });
});
