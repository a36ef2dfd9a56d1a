import { afterEach, expect, it } from 'vitest';
import { Mosquitto } from '../contract/mosquitto.ts';
import { MqttTap } from '../contract/mqtt-tap.ts';
import { until } from './waiting.ts';
import { NOTE, notes, World } from './world.ts';

let world: World | undefined;
let tap: MqttTap | undefined;
const brokers: Mosquitto[] = [];

afterEach(async () => {
  await world?.end();
  await tap?.close();
  for (const broker of brokers.splice(0)) await broker.kill();
});

async function start(): Promise<Mosquitto> {
  const broker = await Mosquitto.start();
  brokers.push(broker);
  return broker;
}

it('three owners behind a broker agree, also on what was made while it was down', async () => {
  const first = await start();
  tap = await MqttTap.start(first.port);
  world = await World.start({
    names: ['anna', 'ben', 'cleo'],
    urls: Array.from({ length: 3 }, () => tap!.url),
  });
  const [anna, ben, cleo] = world.agents;
  await Promise.all(world.agents.map((each) => each.push(NOTE, notes(each.name, 1, 20))));
  await world.settled(world.agents, 60);
  const kinds = (await anna!.status())!.peers.map((peer) => peer.kind);
  expect(kinds).toEqual(['mqtt', 'mqtt']);

  tap.brokerPort = null;
  await first.kill();
  await until('anna is alone', async () => {
    const status = await anna!.status();
    return status?.peers.every((peer) => peer.state !== 'connected');
  });
  await anna!.push(NOTE, notes('anna', 21, 40), 'durable');
  await ben!.push(NOTE, notes('ben', 21, 25), 'durable');
  // What anna made is nowhere but on its disk when its process dies.
  await anna!.kill();
  anna!.start();

  tap.brokerPort = (await start()).port;
  await anna!.ready();
  await world.settled(world.agents, 85);
  await cleo!.push(NOTE, notes('cleo', 21, 25));
  await world.settled(world.agents, 90);
  const rows = (await cleo!.pull(NOTE)).map(
    ({ entry }) => `${entry!['writer']} ${entry!['count']}`,
  );
  expect(new Set(rows).size).toBe(90);
  expect(await world.compare()).toMatchObject({ agree: true, differences: [] });
}, 120_000);
