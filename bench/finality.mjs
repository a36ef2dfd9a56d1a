// Owners that have to agree before an Entry is final: four processes of ours on loopback, beside
// three nodes of etcd and two writers of Autobase.
import { deepStrictEqual, strictEqual } from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { EtcdCluster } from './etcd-cluster.mjs';
import { compare, interleave, median, quantile, resultOf } from './harness.mjs';
import { databaseOf, makeHomes } from './own-home.mjs';
import { checkReadings, ENTRY_BYTES } from './sample-reading.mjs';
import { withScratchFolder } from './scratch-folder.mjs';
import { spawnWorker } from './worker-calls.mjs';

const OWNER_COUNT = 4;
const ROUNDS = 5;
/** Of each owner, and four times as many of etcd. */
const LIGHT_ENTRIES = 50;
const WARM_UP_MS = 1500;
const MEASURE_MS = 4000;
const ETCD_IN_FLIGHT = 256;
const AUTOBASE_MS = 3000;

const each = (items, act) => Promise.all(items.map(act));

async function startOwners(folder) {
  const homes = makeHomes(folder, OWNER_COUNT);
  const owners = homes.map(() => spawnWorker(new URL('finality-owner.mjs', import.meta.url)));
  const opened = await each(owners, (owner, index) => owner.call('open', { home: homes[index] }));
  await each(owners, (owner, index) => {
    const urls = opened.slice(0, index).map(({ url }) => url);
    return owner.call('link', { urls, peerCount: OWNER_COUNT - 1 });
  });
  await owners[0].call(
    'deploy',
    opened.map(({ avatar }) => avatar),
  );
  await each(owners, (owner) => owner.call('join'));
  return { homes, owners };
}

/** The owners take turns, so the one whose turn it is to prepare has no part in the figure. */
async function lightOwn(owners) {
  const latencies = [];
  for (const owner of owners) latencies.push(...(await owner.call('light', LIGHT_ENTRIES)));
  return latencies;
}

async function lightEtcd(etcd) {
  const latencies = [];
  for (let index = 0; index < OWNER_COUNT * LIGHT_ENTRIES; index++) {
    const start = performance.now();
    await etcd.put(randomBytes(8), randomBytes(ENTRY_BYTES));
    latencies.push(performance.now() - start);
  }
  return latencies;
}

/** What is final at the slowest owner. */
async function saturateOwn(owners) {
  const times = { warmUpMs: WARM_UP_MS, measureMs: MEASURE_MS };
  return Math.min(...(await each(owners, (owner) => owner.call('saturate', times))));
}

/** Puts that were answered, with always so many waiting for their answer. */
async function saturateEtcd(etcd) {
  let answered = 0;
  let isOver = false;
  const value = randomBytes(ENTRY_BYTES);
  const putting = Array.from({ length: ETCD_IN_FLIGHT }, async () => {
    while (!isOver) {
      await etcd.put(randomBytes(8), value);
      answered++;
    }
  });
  await new Promise((done) => setTimeout(done, WARM_UP_MS));
  const before = { answered, atMs: performance.now() };
  await new Promise((done) => setTimeout(done, MEASURE_MS));
  const rate = ((answered - before.answered) * 1000) / (performance.now() - before.atMs);
  isOver = true;
  await Promise.all(putting);
  return rate;
}

async function startAutobase(folder) {
  const url = new URL('autobase-writer.mjs', import.meta.url);
  const writers = [spawnWorker(url), spawnWorker(url)];
  const [first, second] = writers;
  const { key, port } = await first.call('open', { folder: join(folder, 'autobase0') });
  const other = await second.call('open', {
    folder: join(folder, 'autobase1'),
    bootstrap: key,
    port,
  });
  await first.call('addWriter', other.writer);
  await second.call('becomeWriter');
  return { writers, entries: 0 };
}

/** Both writers append for a while; the clock stops when both have all of it in one order. */
async function saturateAutobase(autobase, batch) {
  const { writers } = autobase;
  const start = performance.now();
  const counts = await each(writers, (writer) =>
    writer.call('append', { forMs: AUTOBASE_MS, batch }),
  );
  const appended = counts[0] + counts[1];
  autobase.entries += appended;
  await each(writers, (writer) => writer.call('linearized', autobase.entries));
  return (appended * 1000) / (performance.now() - start);
}

function digestTable(home) {
  const database = new Database(databaseOf(home), { readonly: true });
  const rows = database.prepare('SELECT * FROM bench_reading ORDER BY _seq').raw();
  const hash = createHash('sha256');
  let count = 0;
  for (const row of rows.iterate()) {
    hash.update(JSON.stringify(row));
    count++;
  }
  database.close();
  return { count, digest: hash.digest('hex') };
}

/** Every owner must have every Entry, at the same place. */
async function checkAgreement({ homes, owners }) {
  const counts = await each(owners, (owner) => owner.call('pushedEntries'));
  const total = counts.reduce((sum, count) => sum + count, 0);
  await each(owners, (owner) => owner.call('reach', total));
  await each(owners, (owner) => owner.end());
  const tables = homes.map(digestTable);
  strictEqual(tables[0].count, total);
  for (const table of tables) deepStrictEqual(table, tables[0]);
  return total;
}

async function measureLight(owners, etcd) {
  const rounds = { ours: [], etcd: [] };
  const keep = (name, measure) => async () => {
    const latencies = await measure();
    rounds[name].push(latencies);
    return median(latencies);
  };
  await interleave(
    { rounds: ROUNDS },
    {
      ours: keep('ours', () => lightOwn(owners)),
      etcd: keep('etcd', () => lightEtcd(etcd)),
    },
  );
  const result = (name, unit, share) => {
    const figure = ([, ...measured]) => median(measured.map((list) => quantile(list, share)));
    const figures = { ours: figure(rounds.ours), etcd: figure(rounds.etcd) };
    return resultOf(name, { unit, better: 'lower' }, figures);
  };
  return [result('light', 'ms p50', 0.5), result('light-p99', 'ms p99', 0.99)];
}

export async function run(say) {
  checkReadings();
  return withScratchFolder(async (folder) => {
    say('ours: WAL, synchronous=FULL: each step is synced before it is sent');
    say('etcd: three nodes, each syncs its log before it answers; autobase: no sync');
    const own = await startOwners(folder);
    const etcd = await EtcdCluster.start(join(folder, 'etcd'));
    const autobase = await startAutobase(folder);
    const light = await measureLight(own.owners, etcd);
    const measure = { rounds: ROUNDS, unit: 'Entries/s', better: 'higher' };
    const saturated = await compare('saturated', measure, {
      ours: () => saturateOwn(own.owners),
      etcd: () => saturateEtcd(etcd),
      autobase: () => saturateAutobase(autobase, 1),
      'autobase-batches': () => saturateAutobase(autobase, 100),
    });
    await etcd.stop();
    await each(autobase.writers, (writer) => writer.end());
    say(`${await checkAgreement(own)} Entries, the same at all four owners`);
    return [...light, saturated];
  });
}
