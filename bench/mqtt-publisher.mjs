// One of the publishers of `mqtt`: plain MQTT, a message for each Entry at QoS 1.
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { connectAsync } from 'mqtt';
import { ENTRY_BYTES } from './sample-reading.mjs';
import { serve } from './worker-calls.mjs';

const TOPIC = 'bench/raw';
/** Messages that wait for their PUBACK, of each publisher. */
const IN_FLIGHT = 256;

let client;
let heard = 0;

serve(
  {
    async open(url) {
      client = await connectAsync(url, { protocolVersion: 4 });
      client.on('message', () => {
        heard++;
      });
      await client.subscribeAsync(TOPIC, { qos: 1 });
    },

    /** @returns messages of all publishers that arrived here, a second. */
    async saturate({ warmUpMs, measureMs }) {
      let isOver = false;
      const payload = randomBytes(ENTRY_BYTES);
      const publishing = Array.from({ length: IN_FLIGHT }, async () => {
        while (!isOver) await client.publishAsync(TOPIC, payload, { qos: 1 });
      });
      await sleep(warmUpMs);
      const before = { heard, atMs: performance.now() };
      await sleep(measureMs);
      const rate = ((heard - before.heard) * 1000) / (performance.now() - before.atMs);
      isOver = true;
      await Promise.all(publishing);
      return rate;
    },
  },
  () => client.endAsync(true),
);
