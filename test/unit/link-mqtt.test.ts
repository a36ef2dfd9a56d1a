import { afterAll, beforeAll } from 'vitest';
import { describeLinks } from '../contract/link.ts';
import { freePort, Mosquitto } from '../contract/mosquitto.ts';
import { guest } from './mqtt-stage.ts';

let broker: Mosquitto;

beforeAll(async () => {
  broker = await Mosquitto.start();
});

afterAll(async () => {
  await broker.kill();
});

describeLinks({
  name: 'mqtt',
  makeTransport: () => guest({ name: 'anna' }).transport,
  freeUrl: () => broker.url,
  deadUrl: async () => `mqtt://127.0.0.1:${await freePort()}/${'0a'.repeat(16)}`,
  brokenUrls: [
    'mqtt://127.0.0.1:1883',
    'mqtt://127.0.0.1:0',
    'mqtt://127.0.0.1:70000',
    'mqtt://:1883',
    'mqtt://user:secret@127.0.0.1:1883',
    'mqtt://127.0.0.1:1883/topic',
    'mqtt://127.0.0.1:1883?ca=/ca.pem',
    'mqtts://127.0.0.1:8883?ca=ca.pem',
    'mqtts://127.0.0.1:8883?key=/key.pem',
    'mqtt://127.0.0.1:1883#inbox',
    'mqtt://a%00b:1883',
    'http://127.0.0.1:80',
    'nonsense',
  ],
});
