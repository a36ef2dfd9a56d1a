// Fills a database for storage-crash.test.ts, Block after Block, until it is killed.
// Arguments: the file, rows in a Block, and the Block in whose transaction to stop (0: in none).
import { createHash } from 'node:crypto';
import { writeSync } from 'node:fs';

const from = (path) => import(new URL(`../../build/${path}`, import.meta.url));
const { sealBlock } = await from('model/block.js');
const { makeSyncGroup } = await from('model/sync-group.js');
const { createPactReader } = await from('schema/pact-reader.js');
const { openStore } = await from('storage/open-store.js');

const [file, rowCount, stopAt] = [process.argv[2], ...process.argv.slice(3).map(Number)];
const hash = (bytes) => new Uint8Array(createHash('sha256').update(bytes).digest());
// A write beyond a limit of the shell is to fail, not to end the process.
process.on('SIGXFSZ', () => {});

const config = { databaseCacheBytes: 256 * 1024, databaseBusyMs: 5000, evidenceMax: 10 };
const store = openStore({ file, hash, config });
const properties = { door: { type: 'string' }, open: { type: 'boolean' } };
const schema = { type: 'object', properties, required: ['door', 'open'] };
const text = JSON.stringify({ name: 'door', key: ['door'], schema });
const pact = createPactReader({ hash }).readFile(text, () => undefined);
const owner = 'ab'.repeat(32);
const rules = { pact: pact.id, quorumPolicy: 'two-thirds', availability: 'entries' };
const group = makeSyncGroup(hash, rules, [owner]);
store.transaction(() => {
  store.putPact(pact);
  store.putGroup(group);
});

const say = (line) => writeSync(1, `${line}\n`);
const payload = new Uint8Array(4 + 4 * rowCount + 20_000);
const rows = Array.from({ length: rowCount }, (_, index) => [`door ${index}`, true]);

function push(tip) {
  const header = {
    group: group.id,
    issuer: owner,
    sequence: (tip?.sequence ?? 0) + 1,
    previous: tip?.block ?? null,
    dependencies: [],
    entryCount: rows.length,
    byteLength: payload.length,
    merkleRoot: hash(payload),
    atMs: 0,
  };
  const block = sealBlock(hash, header, new Uint8Array(64));
  store.transaction(() => {
    store.putBlock(block, payload);
    const entries = { pact: pact.id, rows };
    store.finalize({ group: group.id, chain: null, blocks: [{ block, entries }] });
    const { sequence } = header;
    store.putVote({
      group: group.id,
      ballot: sequence,
      votedBallot: sequence,
      votes: [block.id],
      lock: null,
      highestCertified: -1,
      highestFinalizable: -1,
    });
    if (sequence !== stopAt) return;
    say(`within ${sequence}`);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  });
  return { sequence: header.sequence, block: block.id };
}

let tip = store.frontier(group.id)[0] ?? null;
try {
  for (;;) {
    tip = push(tip);
    say(`committed ${tip.sequence}`);
  }
} catch (error) {
  say(`stopped ${error.name} ${error.code} ${tip?.sequence ?? 0}`);
}
