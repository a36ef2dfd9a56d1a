import { readFileSync } from 'node:fs';
import type { WorldHome } from './home.ts';

const NOTE_BYTES_MAX = 4096;

/** What a running agent leaves for those who look for it. */
export interface AgentNote {
  readonly pid: number;
  /** Path of its socket; null while it has none. */
  readonly socket: string | null;
}

/** @returns what the last agent here said of itself; it may have ended since. */
export function readAgentNote(world: WorldHome): AgentNote | null {
  let text: string;
  try {
    text = readFileSync(world.agentFile, 'utf8');
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return null;
    throw cause;
  }
  return parseNote(text.slice(0, NOTE_BYTES_MAX));
}

function parseNote(text: string): AgentNote | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null; // Cut short by a crash: as good as none.
  }
  if (typeof value !== 'object' || value === null || !('pid' in value)) return null;
  const { pid } = value;
  const socket = 'socket' in value && typeof value.socket === 'string' ? value.socket : null;
  return typeof pid === 'number' && Number.isSafeInteger(pid) && pid > 0 ? { pid, socket } : null;
}
