import { guardSql } from './guard.ts';

/** `PRAGMA application_id` of our files: 'vbwd' in ASCII, for vertebra World data. */
export const APPLICATION_ID = 0x76627764;

/** Advice on an internal table. */
export const INTERNAL = 'use the vertebra command instead';

/**
 * What a file of format version n needs to become n + 1; the first makes it. A step that was once
 * released is never changed.
 *
 * Ids are BLOBs of 32 bytes. A Sync Group stands as its number (`_group` in the tables of Pacts), a
 * Block as a number that means nothing outside this file.
 */
const TABLES = `
CREATE TABLE vb_guard (one INTEGER PRIMARY KEY CHECK (one = 1), open INTEGER NOT NULL) STRICT;
INSERT INTO vb_guard VALUES (1, 0);

CREATE TABLE vb_setting (
  name TEXT PRIMARY KEY, value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE vb_avatar (
  id BLOB PRIMARY KEY, name TEXT NOT NULL, seen_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE vb_peer (url TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;

CREATE TABLE vb_pact (
  id BLOB PRIMARY KEY, name TEXT NOT NULL, description TEXT NOT NULL,
  table_name TEXT NOT NULL UNIQUE, now_table TEXT UNIQUE,
  extends BLOB, quorum TEXT NOT NULL, availability TEXT NOT NULL,
  fields TEXT NOT NULL, key TEXT NOT NULL, retention TEXT, priority TEXT NOT NULL,
  definition TEXT NOT NULL
) STRICT;

CREATE TABLE vb_group (
  number INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, pact BLOB NOT NULL,
  quorum TEXT NOT NULL, availability TEXT NOT NULL,
  origin TEXT, predecessor BLOB, origin_at BLOB,
  start_seq INTEGER NOT NULL, last_seq INTEGER NOT NULL,
  bytes INTEGER NOT NULL DEFAULT 0, swept_level INTEGER NOT NULL DEFAULT -1,
  cut_seq INTEGER NOT NULL DEFAULT 0, cut_level INTEGER NOT NULL DEFAULT -1,
  cut_rows INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE INDEX vb_group_predecessor ON vb_group (predecessor) WHERE predecessor IS NOT NULL;

CREATE TABLE vb_owner (
  group_number INTEGER NOT NULL, place INTEGER NOT NULL, avatar BLOB NOT NULL,
  PRIMARY KEY (group_number, place)
) STRICT, WITHOUT ROWID;

CREATE TABLE vb_block (
  number INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE,
  group_number INTEGER NOT NULL, issuer BLOB NOT NULL, sequence INTEGER NOT NULL,
  entry_count INTEGER NOT NULL, held INTEGER NOT NULL, first_seq INTEGER, header BLOB NOT NULL
) STRICT;
CREATE INDEX vb_block_causal ON vb_block (group_number, issuer, sequence);
CREATE UNIQUE INDEX vb_block_final ON vb_block (group_number, first_seq)
  WHERE first_seq IS NOT NULL;
CREATE INDEX vb_block_pending ON vb_block (group_number, issuer, sequence)
  WHERE first_seq IS NULL;
CREATE INDEX vb_block_missing ON vb_block (group_number) WHERE held = 0;

CREATE TABLE vb_payload (block INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT;

CREATE TABLE vb_causal (
  group_number INTEGER NOT NULL, issuer BLOB NOT NULL,
  sequence INTEGER NOT NULL, block BLOB,
  final_sequence INTEGER NOT NULL, final_block BLOB,
  PRIMARY KEY (group_number, issuer)
) STRICT, WITHOUT ROWID;

CREATE TABLE vb_metablock (
  id BLOB PRIMARY KEY, generation INTEGER NOT NULL, bytes BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE vb_place (
  metablock BLOB NOT NULL, group_id BLOB NOT NULL, predecessor BLOB, state INTEGER NOT NULL,
  PRIMARY KEY (metablock, group_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX vb_place_after ON vb_place (group_id, predecessor);
CREATE INDEX vb_place_open ON vb_place (group_id, metablock) WHERE state < 2;
CREATE INDEX vb_place_dead ON vb_place (group_id, metablock) WHERE state = 3;

CREATE TABLE vb_certificate (
  metablock BLOB NOT NULL, digest BLOB NOT NULL, certifier BLOB NOT NULL, bytes BLOB NOT NULL,
  PRIMARY KEY (metablock, digest)
) STRICT, WITHOUT ROWID;

CREATE TABLE vb_vote (
  group_id BLOB PRIMARY KEY, ballot INTEGER NOT NULL, voted_ballot INTEGER NOT NULL,
  votes BLOB NOT NULL, lock_metablock BLOB, lock_ballot INTEGER,
  highest_certified INTEGER NOT NULL, highest_finalizable INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE vb_chain (
  group_number INTEGER NOT NULL, level INTEGER NOT NULL, metablock BLOB NOT NULL,
  last_seq INTEGER NOT NULL,
  PRIMARY KEY (group_number, level)
) STRICT, WITHOUT ROWID;
CREATE INDEX vb_chain_metablock ON vb_chain (metablock);

CREATE TABLE vb_cut (
  group_number INTEGER NOT NULL, last_seq INTEGER NOT NULL, level INTEGER NOT NULL,
  at INTEGER NOT NULL, bytes INTEGER NOT NULL, body BLOB NOT NULL,
  PRIMARY KEY (group_number, last_seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE vb_cut_signature (
  group_number INTEGER NOT NULL, last_seq INTEGER NOT NULL, owner BLOB NOT NULL,
  signature BLOB NOT NULL,
  PRIMARY KEY (group_number, last_seq, owner)
) STRICT, WITHOUT ROWID;

CREATE TABLE vb_cause (
  cause BLOB NOT NULL, group_number INTEGER NOT NULL, seq INTEGER NOT NULL,
  PRIMARY KEY (cause, group_number)
) STRICT, WITHOUT ROWID;
CREATE INDEX vb_cause_place ON vb_cause (group_number, seq);

CREATE TABLE vb_void (
  group_number INTEGER NOT NULL, seq INTEGER NOT NULL,
  PRIMARY KEY (group_number, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE vb_invocation (
  number INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, group_id BLOB NOT NULL,
  open INTEGER NOT NULL, body TEXT NOT NULL
) STRICT;
CREATE INDEX vb_invocation_group ON vb_invocation (group_id, number);
CREATE INDEX vb_invocation_open ON vb_invocation (number) WHERE open = 1;

CREATE TABLE vb_saga_value (
  group_id BLOB NOT NULL, scope BLOB NOT NULL, sequence INTEGER NOT NULL, held BLOB, value BLOB,
  PRIMARY KEY (group_id, scope)
) STRICT, WITHOUT ROWID;

CREATE TABLE vb_saga_cursor (
  group_id BLOB PRIMARY KEY, sequence INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE vb_fork (
  group_id BLOB NOT NULL, author BLOB NOT NULL, sequence INTEGER NOT NULL, proof BLOB NOT NULL,
  seen_at INTEGER NOT NULL, lowered INTEGER NOT NULL,
  PRIMARY KEY (group_id, author)
) STRICT, WITHOUT ROWID;

CREATE TABLE vb_evidence (
  id BLOB PRIMARY KEY, group_id BLOB, offender BLOB NOT NULL, kind TEXT NOT NULL,
  items BLOB NOT NULL, seen_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX vb_evidence_offender ON vb_evidence (offender);
CREATE INDEX vb_evidence_seen ON vb_evidence (seen_at);
`;

/** Every internal table but the guard itself. */
export const INTERNAL_TABLES = [
  'vb_setting',
  'vb_avatar',
  'vb_peer',
  'vb_pact',
  'vb_group',
  'vb_owner',
  'vb_block',
  'vb_payload',
  'vb_causal',
  'vb_metablock',
  'vb_place',
  'vb_certificate',
  'vb_vote',
  'vb_chain',
  'vb_cause',
  'vb_void',
  'vb_invocation',
  'vb_saga_value',
  'vb_saga_cursor',
  'vb_fork',
  'vb_cut',
  'vb_cut_signature',
  'vb_evidence',
] as const;

export const MIGRATIONS: readonly string[] = [
  TABLES + INTERNAL_TABLES.map((table) => guardSql(table, INTERNAL)).join('\n'),
];

/** `PRAGMA user_version` of the files that this code reads and writes. */
export const FORMAT_VERSION = MIGRATIONS.length;
