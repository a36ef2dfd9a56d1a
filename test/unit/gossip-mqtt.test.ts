import { randomBytes } from 'node:crypto';
import { connectAsync } from 'mqtt';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { deriveAvatar } from '../../src/identity/avatar.ts';
import { deriveWorld } from '../../src/identity/world.ts';
import { toHex } from '../../src/model/bytes.ts';
import { Mosquitto } from '../contract/mosquitto.ts';
import { MqttTap, PACKET_TYPES, publishOf, type TappedPacket } from '../contract/mqtt-tap.ts';
import { idOf, payloadOf } from './gossip-samples.ts';
import { filled, memberOf, WORLD } from './identity-session-ends.ts';
import { allLinked, isLinked, MqttHouse, type Resident } from './mqtt-house.ts';

const GROUP = idOf('group');
const [ANNA, BEN, CLEO] = [memberOf(31), memberOf(32), memberOf(33)];

let broker: Mosquitto;
const brokers: Mosquitto[] = [];
const taps: MqttTap[] = [];
const house = new MqttHouse();

beforeAll(async () => {
  broker = await Mosquitto.start();
});

afterEach(async () => {
  await house.leave();
  for (const tap of taps.splice(0)) await tap.close();
  for (const each of brokers.splice(0)) await each.kill();
});

afterAll(async () => {
  await broker.kill();
});

async function tapped(port = broker.port): Promise<MqttTap> {
  const tap = await MqttTap.start(port);
  taps.push(tap);
  return tap;
}

/** Each issues so many Blocks, and all have all of them in the end. */
async function exchange(count: number, residents: readonly Resident[]): Promise<void> {
  const blocks = residents.flatMap(({ holder }) =>
    Array.from({ length: count }, () => holder.issue(GROUP, payloadOf(2_000)).id),
  );
  for (const { holder, until } of residents) {
    await until(() => blocks.every((id) => holder.payload(id) !== null));
  }
}

const downsOf = ({ holder }: Resident) => holder.events.filter((each) => each.kind === 'down');

describe('Participants of one World at a broker', () => {
  it('find each other, link each pair once, and spread what each of them has', async () => {
    const residents = [
      await house.join(ANNA, broker.url),
      await house.join(BEN, broker.url),
      await house.join(CLEO, broker.url),
    ];
    await allLinked(...residents);
    await exchange(20, residents);
    for (const { mesh } of residents) {
      const { peers } = mesh.status();
      expect(peers.map(({ kind }) => kind)).toEqual(['mqtt', 'mqtt']);
    }
  });

  it('that are more than each may link keep to a few, and hear of everything', async () => {
    const residents: Resident[] = [];
    for (let seed = 40; seed < 48; seed++) {
      residents.push(await house.join(memberOf(seed), broker.url, { peersMax: 4 }));
    }
    const degreeOf = ({ mesh }: Resident) => mesh.status().peers.length;
    for (const each of residents) {
      await each.until(() => degreeOf(each) >= 2 && degreeOf(each) <= 4);
    }
    await exchange(3, residents);
  });

  it('tell a stranger nothing but sizes and times', async () => {
    const tap = await tapped();
    const seen: TappedPacket[] = [];
    tap.copies = (packet) => {
      seen.push(packet);
      return 1;
    };
    const [anna, ben] = [await house.join(ANNA, tap.url), await house.join(BEN, tap.url)];
    await allLinked(anna, ben);
    await exchange(5, [anna, ben]);
    const wire = Buffer.concat(seen.map(({ bytes }) => bytes));
    const text = wire.toString('latin1');
    for (const secret of [ANNA.avatar.id, BEN.avatar.id, WORLD.reveal()]) {
      expect(wire.includes(Buffer.from(secret))).toBe(false);
      expect(text).not.toContain(toHex(secret).slice(0, 16));
    }
    expect(text).not.toContain('vb1/mqtt');
    const topics = new Set(text.match(/vb1\/[0-9a-z/]+/g));
    const tag = toHex(ANNA.world.tag);
    for (const topic of topics) expect(topic).toMatch(new RegExp(`^vb1/${tag}/(all|[0-9a-f]{32})`));
    const published = seen.filter(({ type }) => type === PACKET_TYPES.publish);
    expect(published.some(({ bytes }) => (bytes.readUInt8(0) & 1) === 1)).toBe(false);
  });

  it('know nothing of those of another World', async () => {
    const world = filled(77);
    const other = { avatar: deriveAvatar(filled(20), world), world: deriveWorld(world) };
    const stranger = await house.join(other, broker.url);
    const [anna, ben] = [await house.join(ANNA, broker.url), await house.join(BEN, broker.url)];
    await allLinked(anna, ben);
    await exchange(5, [anna, ben]);
    expect(stranger.mesh.status().peers).toEqual([]);
    expect(stranger.lines.filter(({ level }) => level !== 'info')).toEqual([]);
  });

  it('mind neither noise nor what a stranger says again', async () => {
    const tap = await tapped();
    const seen: { topic: string; payload: Buffer }[] = [];
    tap.copies = ({ type, bytes, way }) => {
      if (type === PACKET_TYPES.publish && way === 'to-broker') seen.push(publishOf(bytes));
      return 1;
    };
    const [anna, ben] = [await house.join(ANNA, tap.url), await house.join(BEN, tap.url)];
    await allLinked(anna, ben);
    await exchange(5, [anna, ben]);
    const stranger = await connectAsync(broker.url, { protocolVersion: 4 });
    for (const { topic, payload } of [...seen]) {
      await stranger.publishAsync(topic, payload, { qos: 1 });
      await stranger.publishAsync(topic, payload.subarray(0, payload.length - 1), { qos: 1 });
      const changed = Buffer.from(payload);
      changed[20]! ^= 1;
      await stranger.publishAsync(topic, changed, { qos: 1 });
    }
    for (const length of [0, 1, 16, 31, 32, 33, 70_000]) {
      for (const topic of new Set(seen.map((each) => each.topic))) {
        await stranger.publishAsync(topic, randomBytes(length), { qos: 1 });
      }
    }
    await stranger.endAsync();
    await exchange(5, [anna, ben]);
    expect([...downsOf(anna), ...downsOf(ben)]).toEqual([]);
    expect(anna.mesh.status().peers.length).toBe(1);
  });
});

describe('a broker', () => {
  it('killed, and started again with nothing in its queues, loses nothing of theirs', async () => {
    const first = await Mosquitto.start();
    brokers.push(first);
    const tap = await tapped(first.port);
    const [anna, ben] = [await house.join(ANNA, tap.url), await house.join(BEN, tap.url)];
    await allLinked(anna, ben);
    await exchange(5, [anna, ben]);
    tap.brokerPort = null;
    const flying = Array.from({ length: 20 }, () => anna.holder.issue(GROUP, payloadOf(9_000)).id);
    await first.kill();
    for (const each of [anna, ben]) await each.until(() => downsOf(each).length > 0);
    const meanwhile = ben.holder.issue(GROUP, payloadOf(500)).id;
    const second = await Mosquitto.start();
    brokers.push(second);
    tap.brokerPort = second.port;
    await ben.until(() => flying.every((id) => ben.holder.payload(id) !== null));
    await anna.until(() => anna.holder.payload(meanwhile) !== null);
  });

  it('that drops half of its acknowledgements holds up nobody', async () => {
    const tap = await tapped();
    let count = 0;
    let dropped = 0;
    tap.copies = ({ way, type }) => {
      if (way !== 'to-client' || type !== PACKET_TYPES.acknowledgement) return 1;
      count += 1;
      if (count % 2 === 0) return 1;
      dropped += 1;
      return 0;
    };
    const [anna, ben] = [await house.join(ANNA, tap.url), await house.join(BEN, tap.url)];
    await allLinked(anna, ben);
    for (let turn = 0; turn < 10; turn++) await exchange(20, [anna, ben]);
    expect(dropped).toBeGreaterThan(20);
    expect([...downsOf(anna), ...downsOf(ben)]).toEqual([]);
  });

  it('that delivers nothing any more is left, and joined again', async () => {
    const tap = await tapped();
    const soon = { doubtMs: 500 };
    const residents = [await house.join(ANNA, tap.url, soon), await house.join(BEN, tap.url, soon)];
    await allLinked(...residents);
    const last = tap.connections;
    tap.copies = ({ way, type, connection }) =>
      way === 'to-client' && type === PACKET_TYPES.publish && connection <= last ? 0 : 1;
    await exchange(5, residents);
    const reasons = residents.flatMap(({ lines }) => lines.map(({ fields }) => fields['reason']));
    expect(reasons).toContainEqual(expect.stringContaining('delivers nothing'));
  });

  it('that loses a message has the link opened anew, and all of it arrives', async () => {
    const tap = await tapped();
    const [anna, ben] = [await house.join(ANNA, tap.url), await house.join(BEN, tap.url)];
    await allLinked(anna, ben);
    let left = 3;
    tap.copies = ({ way, type }) => {
      if (way !== 'to-client' || type !== PACKET_TYPES.publish) return 1;
      left -= 1;
      return left === 0 ? 0 : 1;
    };
    await exchange(20, [anna, ben]);
    const reasons = [...downsOf(anna), ...downsOf(ben)].map((each) => each.reason);
    expect(reasons).toContain('LINK_RESET');
  });

  it('that brings everything twice changes nothing', async () => {
    const tap = await tapped();
    tap.copies = ({ way, type }) => (way === 'to-client' && type === PACKET_TYPES.publish ? 2 : 1);
    const [anna, ben] = [await house.join(ANNA, tap.url), await house.join(BEN, tap.url)];
    await allLinked(anna, ben);
    await exchange(30, [anna, ben]);
    expect([...downsOf(anna), ...downsOf(ben)]).toEqual([]);
    expect(anna.mesh.status().peers[0]?.counters.duplicates).toBe(0);
  });

  it('that takes a dead connection for alive hands the session over', async () => {
    const tap = await tapped();
    const [anna, ben] = [await house.join(ANNA, tap.url), await house.join(BEN, broker.url)];
    await allLinked(anna, ben);
    tap.cutClients();
    await anna.until(() => downsOf(anna).length > 0);
    await ben.until(() => downsOf(ben).length > 0);
    await allLinked(anna, ben);
    await exchange(10, [anna, ben]);
    expect(tap.connections).toBe(2);
    expect([downsOf(anna).length, downsOf(ben).length]).toEqual([1, 1]);
  });
});

describe('a new process of an Avatar', () => {
  it('ends the links to the one before it, which the broker takes for alive', async () => {
    const tap = await tapped();
    const [anna, ben] = [await house.join(ANNA, tap.url), await house.join(BEN, broker.url)];
    await allLinked(anna, ben);
    tap.brokerPort = null;
    tap.cutClients();
    const again = await house.join(ANNA, broker.url);
    await allLinked(again, ben);
    await exchange(10, [again, ben]);
    expect(isLinked(ben, anna.self)).toBe(true);
    expect(ben.mesh.status().peers.length).toBe(1);
  });
});
