import { readdirSync, readFileSync } from 'node:fs';

/** What Linux tells of a running process; null when it has ended meanwhile. */
export function readProcess(pid: number, file: 'cmdline' | 'environ' | 'status'): string | null {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1');
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause) return null;
    throw cause;
  }
}

/** Processes, but this one, that have this text in their command line. */
export function processesWith(text: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => pid !== process.pid && readProcess(pid, 'cmdline')?.includes(text) === true);
}

/** Memory that a process holds in RAM, in bytes. */
export function residentBytes(pid: number): number {
  const line = /^VmRSS:\s+(\d+) kB$/m.exec(readProcess(pid, 'status') ?? '');
  if (line === null) throw new Error(`there is no process ${pid}`);
  return Number(line[1]) * 1024;
}
