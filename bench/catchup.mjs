// Catching up: what it costs to reconcile a hundred Entries beside millions in common, and how fast
// a newcomer takes a log over loopback TCP, beside hypercore.
import { strictEqual } from 'node:assert/strict';
import { once } from 'node:events';
import { constants, copyFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import Corestore from 'corestore';
import { compare, resultOf, roundsOf } from './harness.mjs';
import { databaseOf, makeHomes, openHome } from './own-home.mjs';
import { ENTRY_BYTES, readingAt, readingPact } from './sample-reading.mjs';
import { withScratchFolder } from './scratch-folder.mjs';

const MILLION = process.env.BENCH_QUICK === '1' ? 10_000 : 1_000_000;
const DIFFERENCE = 100;
const FRESH = process.env.BENCH_QUICK === '1' ? 20_000 : 200_000;
const ROUNDS = 5;
const HYPERCORE_BATCH = 100;
/** When both stand alike they say so, and then nothing: what is said by then is counted. */
const QUIET_MS = 3_000;
const LISTEN = ['tcp://127.0.0.1:0'];

const readings = Array.from({ length: 10_000 }, (_, index) => readingAt(index));
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function pushMany(channel, count) {
  for (let index = 0; index < count; index++) {
    const reading = readings[index % readings.length];
    if (!channel.tryPush(reading)) await channel.push([reading]);
  }
  await channel.finalized();
}

/** A Participant with a group of its own, opened for the first time or again. */
async function openSource(home) {
  const participant = await openHome(home, { listen: LISTEN });
  if (!participant.groups().some((each) => each.pact === 'bench_reading')) {
    await participant.addPact(readingPact);
    await participant.addGroup('bench_reading', ['self']);
  }
  const group = participant.groups().find((each) => each.pact === 'bench_reading').id;
  const [url] = participant.status().listening;
  return { participant, group, url, channel: participant.channel('bench_reading') };
}

/** Resolves when a Participant that may not know the group yet holds so many final Entries. */
async function holds(participant, group, count) {
  while (!participant.groups().some((each) => each.id === group)) await pause(1);
  const signal = new AbortController().signal;
  for await (const entry of participant.channel(group).follow(count, signal)) {
    strictEqual(entry.sequence, count);
    return;
  }
}

/** @returns the bytes that both sent, from the first of the link until they are quiet. */
async function measureDifference(source, home, before) {
  for (let index = 0; index < DIFFERENCE; index++) {
    await source.channel.push([readings[index]]);
  }
  await source.channel.finalized();
  const reader = await openHome(home, { listen: [] });
  strictEqual(reader.groups().find((each) => each.id === source.group)?.lastSequence, before);
  reader.addPeer(source.url);
  await holds(reader, source.group, before + DIFFERENCE);
  await pause(QUIET_MS);
  const { sentBytes, receivedBytes } = reader.status();
  await reader.close();
  return sentBytes + receivedBytes;
}

/**
 * Brings the history of a group to a size, alone, and gives another home a copy of the database:
 * what is there is the same as if it had come over a link, in a fraction of the time.
 */
async function shareHistory(owner, home, more) {
  const source = await openSource(owner);
  await pushMany(source.channel, more);
  await source.participant.close();
  copyFileSync(databaseOf(owner), databaseOf(home), constants.COPYFILE_FICLONE);
}

/** One World of two who stand alike; one of them makes a hundred Entries more, then they meet. */
async function measureDifferences(folder, say) {
  const [owner, home] = makeHomes(folder, 2);
  const bytes = {};
  let count = 0;
  for (const [name, size] of [
    ['diff-100-of-1M', MILLION],
    ['diff-100-of-10M', 10 * MILLION],
  ]) {
    const start = performance.now();
    await shareHistory(owner, home, size - count);
    say(`${size} Entries at both after ${Math.round((performance.now() - start) / 1000)} s`);
    const source = await openSource(owner);
    bytes[name] = await measureDifference(source, home, size);
    await source.participant.close();
    count = size + DIFFERENCE;
    say(`${name}: ${bytes[name]} bytes`);
  }
  return Object.entries(bytes).map(([name, ours]) =>
    resultOf(name, { unit: 'bytes', better: 'lower' }, { ours, 'of-1M': bytes['diff-100-of-1M'] }),
  );
}

async function makeOurs(folder) {
  const [owner, ...homes] = makeHomes(folder, roundsOf(ROUNDS) + 2);
  const source = await openSource(owner);
  await pushMany(source.channel, FRESH);
  const replicate = async () => {
    const reader = await openHome(homes.pop(), { listen: [] });
    const start = performance.now();
    reader.addPeer(source.url);
    await holds(reader, source.group, FRESH);
    const rate = (FRESH * 1000) / (performance.now() - start);
    await reader.close();
    return rate;
  };
  return { replicate, close: () => source.participant.close() };
}

async function makeHypercore(folder) {
  const store = new Corestore(join(folder, 'hypercore'));
  const core = store.get({ name: 'bench' });
  await core.ready();
  const batch = Array.from({ length: HYPERCORE_BATCH }, (_, index) =>
    Buffer.alloc(ENTRY_BYTES, index),
  );
  for (let count = 0; count < FRESH; count += HYPERCORE_BATCH) await core.append(batch);
  const server = createServer((socket) => {
    const stream = store.replicate(false);
    stream.on('error', () => socket.destroy());
    socket.on('error', () => stream.destroy());
    stream.pipe(socket).pipe(stream);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  let readers = 0;
  const replicate = async () => {
    readers += 1;
    const reader = new Corestore(join(folder, `hypercore-${readers}`));
    const copy = reader.get({ key: core.key });
    await copy.ready();
    const start = performance.now();
    const socket = connect(server.address().port, '127.0.0.1');
    const stream = reader.replicate(true);
    stream.on('error', () => socket.destroy());
    socket.on('error', () => stream.destroy());
    stream.pipe(socket).pipe(stream);
    await copy.download({ start: 0, end: FRESH }).done();
    const rate = (FRESH * 1000) / (performance.now() - start);
    strictEqual((await copy.get(FRESH - 1)).length, ENTRY_BYTES);
    socket.destroy();
    await reader.close();
    return rate;
  };
  const close = async () => {
    server.close();
    await store.close();
  };
  return { replicate, close };
}

async function measureReplication(folder) {
  const [ours, hypercore] = [await makeOurs(folder), await makeHypercore(folder)];
  const measure = { rounds: ROUNDS, unit: 'Entries/s', better: 'higher' };
  const result = await compare('replicate-200k', measure, {
    ours: ours.replicate,
    hypercore: hypercore.replicate,
  });
  await ours.close();
  await hypercore.close();
  return result;
}

export async function run(say) {
  const replication = await withScratchFolder(measureReplication);
  const differences = await withScratchFolder((folder) => measureDifferences(folder, say));
  return [...differences, replication];
}
