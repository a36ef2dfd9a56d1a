import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { StoreError } from '../ports/store.ts';
import { FileLock } from '../storage/lock.ts';
import { type AgentNote, readAgentNote } from './agent-note.ts';
import type { WorldHome } from './home.ts';

/** Another process runs this World from this home. */
export class LeaseError extends Error {
  override readonly name = 'LeaseError';
  readonly code = 'WORLD_IN_USE';
  /** Of the process that has it; null where that cannot be told. */
  readonly pid: number | null;

  constructor(message: string, pid: number | null, cause: unknown) {
    super(message, { cause });
    this.pid = pid;
  }
}

/**
 * The right to write in one World of one home. One process has it; it ends with the process at the
 * latest, whatever becomes of it.
 *
 * @source architecture, Identity: two processes with one key must never speak.
 */
export class WorldLease {
  readonly #world: WorldHome;
  readonly #lock: FileLock;

  private constructor(world: WorldHome, lock: FileLock) {
    this.#world = world;
    this.#lock = lock;
  }

  /** @throws LeaseError when another process has it; StoreError when the disk is in the way. */
  static take(world: WorldHome): WorldLease {
    const lease = new WorldLease(world, lockFile(world));
    lease.note(null);
    return lease;
  }

  /** Says where the socket is. */
  note(socket: string | null): void {
    const aside = `${this.#world.agentFile}.new`;
    const descriptor = openSync(aside, 'w', 0o600);
    try {
      const note: AgentNote = { pid: process.pid, socket };
      writeSync(descriptor, `${JSON.stringify(note)}\n`);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(aside, this.#world.agentFile);
  }

  release(): void {
    rmSync(this.#world.agentFile, { force: true });
    this.#lock.release();
  }
}

function lockFile(world: WorldHome): FileLock {
  try {
    return FileLock.take(world.lockFile);
  } catch (cause) {
    if (!(cause instanceof StoreError) || cause.code !== 'STORE_BUSY') throw cause;
    const pid = readAgentNote(world)?.pid ?? null;
    const who = pid === null ? 'another process' : `the process ${pid}`;
    throw new LeaseError(
      `${who} runs the World ${world.name} from ${world.folder} already. ` +
        'Stop it first, or give this one another home with --home DIR.',
      pid,
      cause,
    );
  }
}
