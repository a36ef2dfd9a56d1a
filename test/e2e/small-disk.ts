import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';

function run(command: string, ...args: string[]): void {
  const { status, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
  if (status === 0) return;
  throw new Error(`${command} ${args.join(' ')}: ${error?.message ?? stderr.trim()}`);
}

/** A folder with little room, whatever a process does there; room can be made. */
export interface SmallDisk {
  /** Starts a process for which the room is as small. */
  readonly through: readonly string[];
  /** Makes room, also for the process that runs there. */
  grow(pid: number): void;
  remove(): void;
}

export interface SmallDiskKind {
  readonly name: string;
  readonly make: (folder: string, bytes: number) => SmallDisk;
}

/** A file system of its own; only root may mount one. */
const FILE_SYSTEM: SmallDiskKind = {
  name: 'a full file system',
  make: (folder, bytes) => {
    mkdirSync(folder, { recursive: true });
    run('mount', '-t', 'tmpfs', '-o', `size=${bytes},mode=700`, 'tmpfs', folder);
    return {
      through: [],
      grow: () => run('mount', '-o', `remount,size=${bytes * 32}`, folder),
      remove: () => run('umount', '--lazy', folder),
    };
  },
};

/** No file of the process may become larger: what setrlimit(2) calls RLIMIT_FSIZE. */
const FILE_SIZE: SmallDiskKind = {
  name: 'files that may not grow',
  make: (_folder, bytes) => ({
    through: ['prlimit', `--fsize=${bytes}:unlimited`],
    grow: (pid) => run('prlimit', '--pid', String(pid), '--fsize=unlimited:unlimited'),
    remove: () => undefined,
  }),
};

export const SMALL_DISKS: readonly SmallDiskKind[] =
  process.getuid?.() === 0 ? [FILE_SYSTEM, FILE_SIZE] : [FILE_SIZE];
