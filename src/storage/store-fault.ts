import Database from 'better-sqlite3';
import { StoreError } from '../ports/store.ts';

/** What SQLite's result codes mean to us, and what a person can do. The first prefix that fits. */
const MEANINGS: readonly (readonly [string, StoreError['code'], string])[] = [
  ['SQLITE_FULL', 'STORE_FULL', 'the disk is full: free some space; nothing of this was kept'],
  ['SQLITE_CORRUPT', 'STORE_CORRUPT', 'is damaged'],
  ['SQLITE_NOTADB', 'STORE_CORRUPT', 'is damaged, or never was a database'],
  ['SQLITE_IOERR_SHORT_READ', 'STORE_CORRUPT', 'ends too early'],
  ['SQLITE_BUSY', 'STORE_BUSY', 'another process writes to it: end that one, or try again'],
  ['SQLITE_LOCKED', 'STORE_BUSY', 'another connection holds it: try again'],
  [
    'SQLITE_CONSTRAINT',
    'STORE_FAILED',
    'an index or trigger that is not of vertebra stands in the way: drop it, and all goes on',
  ],
  ['SQLITE_READONLY', 'STORE_READ_ONLY', 'may not be written: check its owner and mode'],
  ['SQLITE_PERM', 'STORE_READ_ONLY', 'may not be opened: check its owner and mode'],
  ['SQLITE_AUTH', 'STORE_READ_ONLY', 'may not be opened: check its owner and mode'],
  ['SQLITE_CANTOPEN', 'STORE_READ_ONLY', 'cannot be opened: check the folder, its owner and mode'],
];

export const CORRUPT_ADVICE =
  'move it away together with its -wal and -shm files, and start again: what the other ' +
  'Participants hold comes back from them, and an owner only watches from then on, for it has ' +
  'forgotten what it promised';

/** Puts what SQLite says about `file` into the words of the port; all else is a bug of ours. */
export function toStoreError(cause: unknown, file: string): unknown {
  if (!(cause instanceof Database.SqliteError)) return cause;
  const [, code, advice] = MEANINGS.find(([prefix]) => cause.code.startsWith(prefix)) ?? [
    '',
    'STORE_FAILED' as const,
    'SQLite refused',
  ];
  const more = code === 'STORE_CORRUPT' ? `: ${CORRUPT_ADVICE}` : '';
  return new StoreError(code, `${file}: ${advice}${more} (${cause.code}: ${cause.message})`, {
    cause,
  });
}

/** A row that does not hold what we wrote into it. */
export function corruptRow(file: string, what: string): StoreError {
  return new StoreError('STORE_CORRUPT', `${file}: ${what} is damaged: ${CORRUPT_ADVICE}`);
}
