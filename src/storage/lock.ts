import Database from 'better-sqlite3';
import { StoreError } from '../ports/store.ts';

/**
 * A file that one process at a time holds. It is an open exclusive transaction on an empty SQLite
 * database, so a lock of the operating system (fcntl(2)): however its holder ends, also by a power
 * cut or `kill -9`, the lock ends with it.
 */
export class FileLock {
  readonly #database: Database.Database;

  private constructor(database: Database.Database) {
    this.#database = database;
  }

  /**
   * @param path Made if it is not there. Nothing else may open this file: closing any handle to it
   *   would release the lock.
   * @throws StoreError STORE_BUSY when another process holds it; STORE_FAILED where none can be.
   */
  static take(path: string): FileLock {
    const database = open(path);
    try {
      database.exec('BEGIN EXCLUSIVE');
      return new FileLock(database);
    } catch (cause) {
      database.close();
      const code = cause instanceof Database.SqliteError ? cause.code : '';
      if (code.startsWith('SQLITE_BUSY')) {
        throw new StoreError('STORE_BUSY', `${path} is held by another process`, { cause });
      }
      throw new StoreError('STORE_FAILED', `${path} cannot be locked (${code})`, { cause });
    }
  }

  release(): void {
    this.#database.close();
  }
}

function open(path: string): Database.Database {
  try {
    return new Database(path, { timeout: 0 });
  } catch (cause) {
    throw new StoreError('STORE_FAILED', `${path} cannot be opened`, { cause });
  }
}
