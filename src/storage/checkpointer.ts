import { Worker } from 'node:worker_threads';
import Database from 'better-sqlite3';

/** Pages that stand in the write-ahead log alone, from which on they are moved: 4 MB. */
const PAGES_DUE = 1000;
/** From here on the writer waits and moves them itself: the log has a bound. */
const PAGES_MAX = 4096;
/** The thread ends when nothing was to be done for so long; it costs a few megabytes. */
const IDLE_MS = 5000;
/** Longest that `close` waits for a checkpoint under way. */
const CLOSE_MS = 5000;

/** Its own connection: SQLite lets one read the log and write the database beside the writer. */
const THREAD = `
const { createRequire } = require('node:module');
const { parentPort, workerData } = require('node:worker_threads');
const Database = createRequire(workerData.module)('better-sqlite3');
const ended = new Int32Array(workerData.ended);
const database = new Database(workerData.file, { fileMustExist: true });
database.pragma('cache_size = -64');
const checkpoint = database.prepare('PRAGMA wal_checkpoint(PASSIVE)');
let idle = setTimeout(end, workerData.idleMs);
function end() {
  clearTimeout(idle);
  database.close();
  Atomics.store(ended, 0, 1);
  Atomics.notify(ended, 0);
  parentPort.close();
}
parentPort.on('message', (order) => {
  if (order === 'end') return end();
  const { log, checkpointed } = checkpoint.get();
  parentPort.postMessage(log - checkpointed);
  idle.refresh();
});
`;

interface Thread {
  readonly worker: Worker;
  /** Its one number is 1 once the thread has closed its connection. */
  readonly ended: Int32Array;
}

/**
 * Moves pages from the write-ahead log into the database in a thread of its own, so that no turn
 * waits for it: a checkpoint writes every page again and syncs twice, on an SD card for long.
 *
 * What the thread cannot do (no memory, a sick disk) the writer does, as SQLite always did: beyond
 * `PAGES_MAX`, in the commit that goes beyond.
 */
export class Checkpointer {
  private readonly file: string;
  private readonly backlog: Database.Statement<[], { log: number; checkpointed: number }>;
  private thread: Thread | null = null;
  /** `off`: closed, or the thread broke down. */
  private state: 'ready' | 'asked' | 'off' = 'ready';

  constructor(database: Database.Database, file: string) {
    this.file = file;
    database.pragma(`wal_autocheckpoint = ${PAGES_MAX}`);
    this.backlog = database.prepare('PRAGMA wal_checkpoint(NOOP)');
  }

  /** A commit has added to the log. Never throws for what the disk does. */
  committed(): void {
    if (this.state !== 'ready' || this.pagesWaiting() < PAGES_DUE) return;
    this.state = 'asked';
    this.thread ??= this.start();
    this.thread.worker.postMessage('checkpoint');
  }

  /** Nothing of this holds the file any more when it returns. */
  close(): void {
    const { thread } = this;
    this.state = 'off';
    if (thread === null) return;
    thread.worker.postMessage('end');
    Atomics.wait(thread.ended, 0, 0, CLOSE_MS);
  }

  /** What is wrong with the disk is for the next statement to say: this commit is done. */
  private pagesWaiting(): number {
    try {
      const { log, checkpointed } = this.backlog.get()!;
      return log - checkpointed;
    } catch (cause) {
      if (cause instanceof Database.SqliteError) return 0;
      throw cause;
    }
  }

  /** Who reads an old state keeps pages where they are: then the next commit asks again. */
  private done(pagesLeft: number): void {
    if (this.state === 'off') return;
    this.state = 'ready';
    if (pagesLeft < PAGES_DUE) this.committed();
  }

  private start(): Thread {
    const ended = new Int32Array(new SharedArrayBuffer(4));
    const worker = new Worker(THREAD, {
      eval: true,
      execArgv: [],
      workerData: {
        module: import.meta.url,
        file: this.file,
        ended: ended.buffer,
        idleMs: IDLE_MS,
      },
      resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 1 },
    });
    worker.on('message', (pagesLeft: number) => this.done(pagesLeft));
    worker.on('error', () => {
      this.state = 'off'; // From now on the writer goes on alone, and hears what the disk has.
    });
    worker.on('exit', () => {
      Atomics.store(ended, 0, 1);
      this.thread = null;
      this.done(0);
    });
    worker.unref();
    return { worker, ended };
  }
}
