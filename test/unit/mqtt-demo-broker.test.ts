import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { DemoBroker } from '../../src/cli/demo/demo-broker.ts';
import { DEFAULT_CONFIG } from '../../src/participant/config.ts';
import { brokersOf, checkBroker } from '../../src/participant/doctor-broker.ts';
import { homeAt, worldAt } from '../../src/participant/home.ts';
import { createWorld, initHome } from '../../src/participant/membership.ts';
import { freePort } from '../contract/mosquitto.ts';
import { memberOf } from './identity-session-ends.ts';
import { allLinked, MqttHouse } from './mqtt-house.ts';

let broker: DemoBroker | null = null;
let folder: string | undefined;
const house = new MqttHouse();

async function startBroker(): Promise<DemoBroker> {
  broker = await DemoBroker.open();
  if (broker === null) throw new Error('aedes is not installed');
  return broker;
}

afterEach(async () => {
  await house.leave();
  await broker?.close();
  broker = null;
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
});

it('the broker of the demo brings Participants together', async () => {
  const { url } = await startBroker();
  const [anna, ben] = [await house.join(memberOf(51), url), await house.join(memberOf(52), url)];
  await allLinked(anna, ben);
});

it('the doctor says whether a broker delivers, and what to do where it does not', async () => {
  const { url: there } = await startBroker();
  folder = mkdtempSync(join(tmpdir(), 'vb-doctor-broker-'));
  const home = homeAt(folder);
  initHome(home, 'anna');
  createWorld(home, 'yard', join(folder, 'yard.secret'));
  const world = worldAt(home, 'yard');
  const look = (url: string, more = {}) => checkBroker(world, url, { ...DEFAULT_CONFIG, ...more });
  expect(await look(there)).toMatchObject({ check: 'yard: broker', state: 'ok' });
  const down = `mqtt://127.0.0.1:${await freePort()}`;
  expect(await look(down)).toMatchObject({
    state: 'problem',
    mend: expect.stringContaining('Nobody listens there'),
  });
  const file = { mqttUser: 'anna', mqttPasswordFile: join(folder, 'none') };
  expect(await look(there, file)).toMatchObject({
    state: 'problem',
    found: expect.stringContaining('ENOENT'),
  });
  const named = ['tcp://h:1', 'mqtt://h:1?quiet=22:00-06:00', 'mqtt://h:1', 'mqtts://h:2'];
  expect(brokersOf(named)).toEqual(['mqtt://h:1', 'mqtts://h:2']);
});
