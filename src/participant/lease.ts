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
    const lock = lockFile(world);
    const lease = new WorldLease(world, lock);
    try {
      lease.note(null);
    } catch (cause) {
      lock.release();
      throw cause;
    }
    return lease;
  }

  /** Says where the socket is. @throws StoreError when the disk is in the way. */
  note(socket: string | null): void {
    const { agentFile } = this.#world;
    try {
      replaceFile(
        agentFile,
        `${JSON.stringify({ pid: process.pid, socket } satisfies AgentNote)}\n`,
      );
    } catch (cause) {
      const system = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown';
      const isFull = system === 'ENOSPC' || system === 'EDQUOT';
      const advice = isFull
        ? 'the disk is full: free some space'
        : 'check the folder and its owner';
      const code = isFull ? 'STORE_FULL' : 'STORE_FAILED';
      throw new StoreError(code, `${agentFile} cannot be written (${system}); ${advice}`, {
        cause,
      });
    }
  }

  release(): void {
    rmSync(this.#world.agentFile, { force: true });
    this.#lock.release();
  }
}

/** Whoever reads it meanwhile finds the old text or the new one, whole. */
function replaceFile(path: string, text: string): void {
  const aside = `${path}.new`;
  const descriptor = openSync(aside, 'w', 0o600);
  try {
    writeSync(descriptor, text);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  renameSync(aside, path);
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
