// Three owners behind a broker and nowhere else, beside the same bytes published one message per
// Entry at QoS 1: not signed, not ordered among publishers, not kept.
import { compare } from './harness.mjs';
import { startMosquitto } from './mosquitto.mjs';
import { makeHomes } from './own-home.mjs';
import { checkReadings } from './sample-reading.mjs';
import { withScratchFolder } from './scratch-folder.mjs';
import { spawnWorker } from './worker-calls.mjs';

const OWNER_COUNT = 3;
const ROUNDS = 5;
const TIMES = { warmUpMs: 1500, measureMs: 4000 };

const each = (items, act) => Promise.all(items.map(act));

async function startOwners(folder, broker) {
  const homes = makeHomes(folder, OWNER_COUNT);
  const owners = homes.map(() => spawnWorker(new URL('finality-owner.mjs', import.meta.url)));
  const settings = { listen: [broker] };
  const opened = await each(owners, (owner, index) =>
    owner.call('open', { home: homes[index], settings }),
  );
  await each(owners, (owner) => owner.call('link', { urls: [], peerCount: OWNER_COUNT - 1 }));
  await owners[0].call(
    'deploy',
    opened.map(({ avatar }) => avatar),
  );
  await each(owners, (owner) => owner.call('join'));
  return owners;
}

/** What is final at the slowest owner. */
async function finalize(owners) {
  return Math.min(...(await each(owners, (owner) => owner.call('saturate', TIMES))));
}

/** Three publishers; each hears what all of them publish, as each owner does. */
async function publishRaw(publishers) {
  return Math.min(...(await each(publishers, (one) => one.call('saturate', TIMES))));
}

export async function run(say) {
  checkReadings();
  return withScratchFolder(async (folder) => {
    say('ours: signed, agreed on by three owners, synced to three disks; all links at the broker');
    say('raw-qos1: the same 100 bytes an Entry, one message each, every publisher hears all three');
    const broker = await startMosquitto(folder);
    const owners = await startOwners(folder, broker.url);
    const publisher = new URL('mqtt-publisher.mjs', import.meta.url);
    const publishers = Array.from({ length: OWNER_COUNT }, () => spawnWorker(publisher));
    await each(publishers, (one) => one.call('open', broker.url));
    const measure = { rounds: ROUNDS, unit: 'Entries/s', better: 'higher' };
    const result = await compare('finalized', measure, {
      ours: () => finalize(owners),
      'raw-qos1': () => publishRaw(publishers),
    });
    const counts = await each(owners, (owner) => owner.call('pushedEntries'));
    const total = counts.reduce((sum, count) => sum + count, 0);
    await each(owners, (owner) => owner.call('reach', total));
    say(`${total} Entries are final at all three owners`);
    await each([...owners, ...publishers], (one) => one.end());
    await broker.stop();
    return [result];
  });
}
