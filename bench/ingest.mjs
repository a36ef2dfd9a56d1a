// One Participant that owns its data alone: from a Channel until signed, durable, final and in its
// table; beside an append-only log of signed batches, and beside SQLite without any of it.
import { deepStrictEqual, strictEqual } from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import Corestore from 'corestore';
import { DEFAULT_CONFIG } from '../build/index.js';
import { compare, roundsOf } from './harness.mjs';
import { databaseOf, makeHomes, openHome } from './own-home.mjs';
import { checkReadings, ENTRY_BYTES, readingAt, readingPact } from './sample-reading.mjs';
import { withScratchFolder } from './scratch-folder.mjs';

const SAMPLE_ENTRIES = 200_000;
const HYPERCORE_BATCH = 100;
const HYPERCORE_ENTRIES = 50_000;
const BUFFER_ENTRIES = 100_000;
const ROWS_PER_INSERT = 32;
/** What the peer writes at once is what we write at once: a Block, to the next whole statement. */
const ROWS_PER_TRANSACTION =
  Math.ceil(DEFAULT_CONFIG.blockEntriesMax / ROWS_PER_INSERT) * ROWS_PER_INSERT;
const ROUNDS = 5;

const readings = Array.from({ length: 10_000 }, (_, index) => readingAt(index));
const perSecond = (count, startMs) => (count * 1000) / (performance.now() - startMs);

async function openOwn(folder) {
  const [home] = makeHomes(folder, 1);
  const participant = await openHome(home, { listen: [] });
  await participant.addPact(readingPact);
  await participant.addGroup('bench_reading', ['self']);
  const database = new Database(databaseOf(home), { readonly: true });
  return { participant, channel: participant.channel('bench_reading'), database };
}

/** Pushes without a pause; the clock stops when the last Entry is final and in the table. */
async function pushAll(channel) {
  const start = performance.now();
  for (let count = 0; count < SAMPLE_ENTRIES; count++) {
    const reading = readings[count % readings.length];
    if (!channel.tryPush(reading)) await channel.push([reading]);
  }
  await channel.finalized();
  return perSecond(SAMPLE_ENTRIES, start);
}

/** Pushes alone, as many as the Entry Buffer takes; what becomes of them is not on the clock. */
async function fillBuffer(channel) {
  const start = performance.now();
  for (let count = 0; count < BUFFER_ENTRIES; count++) {
    strictEqual(channel.tryPush(readings[count % readings.length]), true);
  }
  const rate = perSecond(BUFFER_ENTRIES, start);
  await channel.finalized();
  return rate;
}

async function openHypercore(folder) {
  const store = new Corestore(join(folder, 'hypercore'));
  const core = store.get({ name: 'bench' });
  await core.ready();
  return { store, core };
}

/** Batches one after the other, each awaited. */
async function appendAll(core, blocks) {
  const start = performance.now();
  for (let count = 0; count < HYPERCORE_ENTRIES; count += HYPERCORE_BATCH) {
    await core.append(blocks);
  }
  return perSecond(HYPERCORE_ENTRIES, start);
}

/** The same table in a file of its own, with the same settings, without guards. */
function openRaw(folder, tableSql) {
  const raw = new Database(join(folder, 'raw.db'));
  raw.pragma('journal_mode = WAL');
  raw.pragma('synchronous = FULL');
  raw.pragma(`cache_size = -${DEFAULT_CONFIG.databaseCacheBytes / 1024}`);
  raw.exec(tableSql);
  return raw;
}

/** 32 rows a statement, what they share bound once: the fastest of the ways that were tried. */
function rawInsert(raw) {
  const columns = [...Object.keys(readings[0]), '_group', '_seq', '_entry'];
  const names = [...columns, '_block', '_issuer', '_at'].join(', ');
  const values = Array.from(
    { length: ROWS_PER_INSERT },
    (_, row) => `(?, ?, ?, ?, ?, @group, @seq + ${row}, @entry + ${row}, @id, @id, @at)`,
  );
  const insert = raw.prepare(`INSERT INTO bench_reading (${names}) VALUES ${values.join(', ')}`);
  let seq = 1;
  const writeAll = raw.transaction(() => {
    const id = createHash('sha256').update(String(seq)).digest();
    for (let entry = 0; entry < ROWS_PER_TRANSACTION; entry += ROWS_PER_INSERT) {
      const bound = [];
      for (let index = entry; index < entry + ROWS_PER_INSERT; index++) {
        const { sensor, at, value, quality, note } = readings[index % readings.length];
        bound.push(sensor, at, value, quality, note);
      }
      insert.run(bound, { group: 1, seq, entry, id, at: readings[0].at });
      seq += ROWS_PER_INSERT;
    }
  });
  return () => {
    const start = performance.now();
    let rows = 0;
    for (; rows < SAMPLE_ENTRIES; rows += ROWS_PER_TRANSACTION) writeAll();
    return perSecond(rows, start);
  };
}

/** What the clock was stopped for must be there. */
function checkTable(own) {
  const { rows, last } = own.database
    .prepare('SELECT count(*) AS rows, max(_seq) AS last FROM bench_reading')
    .get();
  const pushed = (roundsOf(ROUNDS) + 1) * (SAMPLE_ENTRIES + BUFFER_ENTRIES);
  deepStrictEqual({ rows, last }, { rows: pushed, last: pushed });
  const [entry] = own.channel.pull(1, 1);
  deepStrictEqual(entry.entry, readings[0]);
}

export async function run(say) {
  checkReadings();
  return withScratchFolder(async (folder) => {
    const own = await openOwn(folder);
    const tableSql = own.database
      .prepare("SELECT sql FROM sqlite_schema WHERE name = 'bench_reading'")
      .pluck()
      .get();
    const raw = openRaw(folder, tableSql);
    const { core, store } = await openHypercore(folder);
    const blocks = Array.from({ length: HYPERCORE_BATCH }, (_, index) =>
      Buffer.alloc(ENTRY_BYTES, index),
    );
    say('ours and raw-sqlite: WAL, synchronous=FULL, so one sync a transaction');
    say(`raw-sqlite: ${ROWS_PER_TRANSACTION} rows a transaction`);
    say(`hypercore: ${HYPERCORE_BATCH} Entries an append; it writes its log without a sync`);
    const measure = { rounds: ROUNDS, unit: 'Entries/s', better: 'higher' };
    const toTable = await compare('channel-to-table', measure, {
      ours: () => pushAll(own.channel),
      hypercore: () => appendAll(core, blocks),
      'raw-sqlite': rawInsert(raw),
    });
    const buffer = await compare('entry-buffer', measure, {
      ours: () => fillBuffer(own.channel),
    });
    checkTable(own);
    own.database.close();
    raw.close();
    await store.close();
    await own.participant.close();
    return [toTable, buffer];
  });
}
