import { createHash } from 'node:crypto';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { Ed25519Signer, Secret } from '../../src/identity/index.ts';
import { signedBytesOf } from '../../src/model/block.ts';
import type { Agent } from '../../src/participant/agent.ts';
import { verifyWorld } from '../../src/participant/verify.ts';
import { Hub } from './participant-hub.ts';

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

/** Every type of a field, with a key of two fields. */
const REPORT = JSON.stringify({
  name: 'report',
  key: ['place', 'number'],
  schema: {
    type: 'object',
    properties: {
      place: { type: 'string', maxLength: 64 },
      number: { type: 'integer' },
      level: { type: 'number' },
      good: { type: 'boolean' },
      proof: { type: 'string', contentEncoding: 'base64' },
      tags: { type: 'array', items: { type: 'string', maxLength: 9 } },
      more: { type: 'object', properties: { note: { type: 'string' } } },
    },
    required: ['place', 'number'],
  },
});

const FULL = {
  level: 0.5,
  good: true,
  proof: 'AAEC',
  tags: ['a', 'b'],
  more: { note: 'ünï' },
};

let folder: string;
let sound: string;

const until = async (agent: Agent, target: string, count: number) => {
  const signal = AbortSignal.timeout(20_000);
  for await (const { sequence } of agent.channel(target).follow(1, signal)) {
    if (sequence === count) return;
  }
  throw new Error(`${count} Entries of ${target} did not become final`);
};

async function fill(a: Agent, b: Agent): Promise<void> {
  await a.addPact(read('examples/pacts/door.json'));
  await a.addPact(REPORT);
  await a.addGroup('door', [a.avatar, b.avatar]);
  await a.addGroup('report', ['self']);
  await vi.waitUntil(() => b.groups().some(({ pact }) => pact === 'door'), 20_000);
  for (let turn = 1; turn <= 4; turn++) {
    await a.channel('door').push([{ door: 'front', open: turn % 2 === 0 }]);
    await b.channel('door').push([{ door: `back ${turn}`, open: true }]);
    await until(a, 'door', 2 * turn);
  }
  await a.channel('report').push([
    { place: 'attic', number: 1, ...FULL },
    { place: 'attic', number: 2 },
    { place: 'attic', number: 1 },
  ]);
  await a.channel('report').push([{ place: 'cellar', number: 1, good: false }]);
  await until(a, 'report', 4);
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'vertebra-verify-'));
  sound = join(folder, 'sound.db');
  const hub = new Hub();
  const [a, b] = [hub.open('a', 1, {}, sound), hub.open('b', 2)];
  await a.start();
  await b.start();
  await fill(a, b);
  await a.close();
  await b.close();
});

afterAll(() => rmSync(folder, { recursive: true }));

/** A copy of the sound database that somebody got at. */
function tampered(sql: string): string {
  const file = join(folder, 'tampered.db');
  copyFileSync(sound, file);
  const database = new Database(file);
  database.exec(`UPDATE vb_guard SET open = 1; ${sql}; UPDATE vb_guard SET open = 0;`);
  expect(database.prepare('SELECT total_changes()').pluck().get()).toBeGreaterThan(2);
  database.close();
  return file;
}

test('a database that nobody touched holds, and everything in it was looked at', () => {
  const report = verifyWorld({ file: sound });
  expect(report.fault).toBeNull();
  const database = new Database(sound, { readonly: true });
  const count = (table: string) => database.prepare(`SELECT count(*) FROM ${table}`).pluck().get();
  expect(report.counts).toMatchObject({
    pacts: count('vb_pact'),
    groups: count('vb_group'),
    blocks: count('vb_block'),
    metablocks: count('vb_metablock'),
    certificates: count('vb_certificate'),
    rows: ['door', 'report', 'vertebra_pact', 'vertebra_group'].reduce(
      (sum, table) => sum + Number(count(table)),
      0,
    ),
  });
  expect(report.counts.rows).toBe(16);
  database.close();
});

const SHARED = '(SELECT number FROM vb_group WHERE last_seq = 8)';
const FINAL = `group_number = ${SHARED} AND first_seq = 3`;
const HEAD = `(SELECT metablock FROM vb_chain WHERE group_number = ${SHARED}
  ORDER BY level DESC LIMIT 1)`;
const AFTER_HEAD = `(SELECT metablock FROM vb_place WHERE predecessor = ${HEAD})`;
const ZERO = (bytes: number) => `zeroblob(${bytes})`;
/** A column of bytes with its last byte set to 0, and 1 where it was 0. */
const spoilt = (column: string) =>
  `CAST(substr(${column}, 1, length(${column}) - 1) ||
    CASE substr(${column}, -1) WHEN x'00' THEN x'01' ELSE x'00' END AS BLOB)`;

const TAMPERINGS: readonly [what: string, table: string, problem: RegExp, sql: string][] = [
  [
    'a Pact with another definition',
    'vb_pact',
    /its definition is none/,
    "UPDATE vb_pact SET definition = definition || ' ' WHERE name = 'door'",
  ],
  [
    'a Pact that decides otherwise',
    'vb_pact',
    /quorum says every-owner/,
    "UPDATE vb_pact SET quorum = 'every-owner' WHERE name = 'door'",
  ],
  [
    'a Sync Group of other owners',
    'vb_group',
    /not the hash of its Pact and owners/,
    `DELETE FROM vb_owner WHERE group_number = ${SHARED} AND place = 0`,
  ],
  [
    'a Sync Group with an owner twice',
    'vb_group',
    /no sorted set/,
    `INSERT INTO vb_owner SELECT group_number, place + 10, avatar FROM vb_owner`,
  ],
  [
    'an issuer that stands elsewhere',
    'vb_causal',
    /sequence says 7, not 4/,
    `UPDATE vb_causal SET sequence = 7 WHERE group_number = ${SHARED}`,
  ],
  [
    'an issuer whose last Block is another',
    'vb_causal',
    /does not name its last Block/,
    `UPDATE vb_causal SET block = ${ZERO(32)} WHERE group_number = ${SHARED}`,
  ],
  [
    'an issuer of whom nothing is known any more',
    'vb_causal',
    /is missing/,
    `DELETE FROM vb_causal WHERE group_number = ${SHARED}`,
  ],
  [
    'an owner of nothing',
    'vb_owner',
    /no Sync Group/,
    `INSERT INTO vb_owner VALUES (5, 0, ${ZERO(32)})`,
  ],
  [
    'a Sync Group that says more is final',
    'vb_group',
    /last_seq says 9, not 8/,
    `UPDATE vb_group SET last_seq = 9 WHERE number = ${SHARED}`,
  ],
  [
    'a Block Header with another signature',
    'vb_block',
    /its id is not the hash/,
    `UPDATE vb_block SET header = ${spoilt('header')} WHERE ${FINAL}`,
  ],
  [
    'a Block of another issuer',
    'vb_block',
    /names another issuer/,
    `UPDATE vb_block SET issuer = ${ZERO(32)} WHERE ${FINAL}`,
  ],
  [
    'a Block in another Sync Group',
    'vb_block',
    /another Sync Group/,
    `UPDATE vb_block SET first_seq = 99, group_number =
      (SELECT min(number) FROM vb_group WHERE number <> ${SHARED}) WHERE ${FINAL}`,
  ],
  [
    'a Block with another payload',
    'vb_block',
    /Merkle root/,
    `UPDATE vb_payload SET bytes = ${spoilt('bytes')}
      WHERE block = (SELECT number FROM vb_block WHERE ${FINAL})`,
  ],
  [
    'a Block whose payload is gone',
    'vb_block',
    /held says 1, not 0/,
    `DELETE FROM vb_payload WHERE block = (SELECT number FROM vb_block WHERE ${FINAL})`,
  ],
  [
    'a payload of no Block',
    'vb_payload',
    /no Block of this number/,
    `INSERT INTO vb_payload VALUES (9999, x'00')`,
  ],
  [
    'a Block that was taken out',
    'vb_block',
    /in the chain and not here/,
    `DELETE FROM vb_payload WHERE block = (SELECT number FROM vb_block WHERE ${FINAL});
      DELETE FROM vb_block WHERE ${FINAL}`,
  ],
  [
    'Blocks in another order',
    'vb_block',
    /is final where the chain has/,
    `UPDATE vb_block SET first_seq = 100 WHERE group_number = ${SHARED} AND first_seq = 1;
      UPDATE vb_block SET first_seq = 1 WHERE group_number = ${SHARED} AND first_seq = 2;
      UPDATE vb_block SET first_seq = 2 WHERE group_number = ${SHARED} AND first_seq = 100`,
  ],
  [
    'a Causal Group that ends elsewhere',
    'vb_causal',
    /last final Block/,
    `UPDATE vb_causal SET final_sequence = 1 WHERE group_number = ${SHARED}`,
  ],
  [
    'a Metablock with other bytes',
    'vb_metablock',
    /its id is not the hash/,
    `UPDATE vb_metablock SET bytes = ${spoilt('bytes')} WHERE id = ${HEAD}`,
  ],
  [
    'a Metablock of another Generation',
    'vb_metablock',
    /generation says/,
    `UPDATE vb_metablock SET generation = 77 WHERE id = ${HEAD}`,
  ],
  [
    'a Metablock that stands elsewhere',
    'vb_metablock',
    /does not list its predecessors/,
    `UPDATE vb_place SET predecessor = NULL WHERE metablock = ${HEAD}`,
  ],
  [
    'a place of no Metablock',
    'vb_place',
    /no such Metablock/,
    `INSERT INTO vb_place VALUES (${ZERO(32)}, ${ZERO(32)}, NULL, 0)`,
  ],
  [
    'a Certificate with another signature',
    'vb_certificate',
    /signature does not hold/,
    `UPDATE vb_certificate SET bytes = ${spoilt('bytes')} WHERE metablock = ${HEAD}`,
  ],
  [
    'a Certificate for another Metablock',
    'vb_certificate',
    /for another Metablock/,
    `UPDATE vb_certificate SET metablock = ${ZERO(32)} WHERE metablock = ${HEAD}`,
  ],
  [
    'a Certificate by somebody else',
    'vb_certificate',
    /another certifier/,
    `UPDATE vb_certificate SET certifier = ${ZERO(32)} WHERE metablock = ${HEAD}`,
  ],
  [
    'a head that no Quorum certified',
    'vb_chain',
    /no Quorum/,
    `DELETE FROM vb_certificate WHERE metablock = ${AFTER_HEAD} AND certifier =
      (SELECT min(certifier) FROM vb_certificate)`,
  ],
  [
    'a chain without its first Level',
    'vb_chain',
    /this Level is missing/,
    `DELETE FROM vb_chain WHERE group_number = ${SHARED} AND level = 0`,
  ],
  [
    'a chain without its last Level',
    'vb_block',
    /is final and in no Metablock/,
    `DELETE FROM vb_chain WHERE group_number = ${SHARED} AND level >=
      (SELECT max(level) - 1 FROM vb_chain WHERE group_number = ${SHARED})`,
  ],
  [
    'a chain of another order',
    'vb_chain',
    /does not follow the Level before/,
    `UPDATE vb_chain SET metablock = ${HEAD} WHERE group_number = ${SHARED} AND level = 1`,
  ],
  [
    'a chain that counts other Entries',
    'vb_chain',
    /last_seq says 77/,
    `UPDATE vb_chain SET last_seq = 77 WHERE group_number = ${SHARED} AND level = 2`,
  ],
  [
    'a chain of no Sync Group',
    'vb_chain',
    /no Sync Group/,
    `INSERT INTO vb_chain VALUES (5, 0, ${ZERO(32)}, 0)`,
  ],
  [
    'a row with another value',
    'door',
    /open is not what was signed/,
    'UPDATE door SET open = 1 - open WHERE _seq = 3',
  ],
  [
    'a row of another issuer',
    'door',
    /_issuer/,
    `UPDATE door SET _issuer = ${ZERO(32)} WHERE _seq = 3`,
  ],
  ['a row of another time', 'door', /_at/, 'UPDATE door SET _at = _at + 1 WHERE _seq = 3'],
  [
    'a row that is missing',
    'door',
    /row of this Entry is missing/,
    'DELETE FROM door WHERE _seq = 3',
  ],
  ['a last row that is missing', 'door', /missing/, 'DELETE FROM door WHERE _seq = 8'],
  [
    'a row too many',
    'door',
    /no final Entry/,
    `INSERT INTO door SELECT 'x', 1, _group, 9, 0, _block, _issuer, _at, NULL
      FROM door WHERE _seq = 8`,
  ],
  [
    'a row of a Sync Group that is none',
    'door',
    /no such Sync Group/,
    `INSERT INTO door SELECT 'x', 1, 5, 9, 0, _block, _issuer, _at, NULL
      FROM door WHERE _seq = 8`,
  ],
  ['a number off by a little', 'report', /level/, 'UPDATE report SET level = 0.25 WHERE _seq = 1'],
  ['other bytes', 'report', /proof/, "UPDATE report SET proof = x'000103' WHERE _seq = 1"],
  ['another list', 'report', /tags/, `UPDATE report SET tags = '["a"]' WHERE _seq = 1`],
  ['another object', 'report', /more/, `UPDATE report SET more = '{}' WHERE _seq = 1`],
  ['a value where there is none', 'report', /good/, 'UPDATE report SET good = 0 WHERE _seq = 2'],
  [
    'a current state with another value',
    'report_now',
    /should copy/,
    'UPDATE report_now SET good = 1 WHERE number = 2',
  ],
  [
    'a current state of earlier',
    'report_now',
    /a later Entry of its key/,
    `DELETE FROM report_now WHERE place = 'attic' AND number = 1;
      INSERT INTO report_now SELECT * FROM report WHERE _seq = 1`,
  ],
  [
    'a current state that lacks a key',
    'report_now',
    /a later Entry of its key/,
    "DELETE FROM report_now WHERE place = 'cellar'",
  ],
  [
    'a current state of nothing',
    'report_now',
    /should copy/,
    `INSERT INTO report_now SELECT 'moon', number, level, good, proof, tags, more, _group, 99,
      _entry,      _block, _issuer, _at, _cause FROM report WHERE _seq = 1`,
  ],
];

describe('verify names', () => {
  test.each(TAMPERINGS)('%s', (_what, table, problem, sql) => {
    const { fault } = verifyWorld({ file: tampered(sql) });
    expect(fault).not.toBeNull();
    expect(`${fault?.table}: ${fault?.problem}`).toMatch(problem);
    expect(fault?.table).toBe(table);
    expect(fault?.key).not.toBe('');
  });

  /** The stored bytes of one Block or Metablock, signed again by somebody with another key. */
  function signedByAnother(table: 'vb_block' | 'vb_metablock'): string {
    const database = new Database(sound, { readonly: true });
    const column = table === 'vb_block' ? 'header' : 'bytes';
    const one = database.prepare<[], Buffer>(`SELECT ${column} FROM ${table} LIMIT 1`).pluck();
    const old = Uint8Array.from(one.get()!);
    database.close();
    const thief = new Ed25519Signer(new Secret(new Uint8Array(32).fill(9)));
    const forged = Buffer.concat([
      signedBytesOf({ bytes: old }),
      thief.sign(signedBytesOf({ bytes: old })),
    ]);
    const id = (bytes: Uint8Array) => `x'${createHash('sha256').update(bytes).digest('hex')}'`;
    const places = `UPDATE vb_place SET metablock = ${id(forged)} WHERE metablock = ${id(old)};`;
    return `${table === 'vb_block' ? '' : places}
      UPDATE ${table} SET id = ${id(forged)}, ${column} = x'${forged.toString('hex')}'
      WHERE id = ${id(old)}`;
  }

  test.each(['vb_block', 'vb_metablock'] as const)('what in %s another key signed', (table) => {
    const { fault } = verifyWorld({ file: tampered(signedByAnother(table)) });
    expect(fault).toMatchObject({ table, problem: 'its signature does not hold' });
  });

  test('a file that was cut', () => {
    const file = tampered('UPDATE vb_group SET last_seq = 1');
    truncateSync(file, 40_960);
    expect(verifyWorld({ file }).fault?.table).toBe('sqlite');
  });

  test('a file that is none of ours', () => {
    const file = join(folder, 'foreign.db');
    new Database(file).exec('CREATE TABLE recipe (dish TEXT)').close();
    expect(() => verifyWorld({ file })).toThrow(/no database of vertebra/);
    expect(() => verifyWorld({ file: join(folder, 'none.db') })).toThrow(/no such file/);
  });
});

test('verifying changes nothing in the file', () => {
  const before = readFileSync(sound);
  verifyWorld({ file: sound });
  expect(readFileSync(sound).equals(before)).toBe(true);
});
