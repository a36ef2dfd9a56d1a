/** What strace(1) saw of one system call that matters for what is durable before it is said. */
export interface SystemCall {
  readonly kind: 'log-write' | 'log-sync' | 'send' | 'hear';
  /** Of the socket, as strace names it; empty for the log. */
  readonly socket: string;
  readonly bytes: number;
  /** Seconds. */
  readonly at: number;
  /** The beginning of what was heard. */
  readonly text: string;
  readonly line: string;
}

/** Arguments of strace for a trace that `readCalls` can read; the command line follows. */
export function traceArguments(output: string): string[] {
  const calls = 'pwrite64,fsync,fdatasync,write,writev,sendto,sendmsg,read,recvfrom,recvmsg';
  return ['-f', '--seccomp-bpf', '-yy', '-ttt', '-s', '64', '-o', output, '-e', `trace=${calls}`];
}

const CALL = /^(\d+) +([\d.]+) (\w+)\((\d+<.*)$/;
const RESUMED = /^(\d+) +[\d.]+ <\.\.\. \w+ resumed>.* = (-?\d+)/;

const KINDS: Readonly<Record<string, SystemCall['kind']>> = {
  pwrite64: 'log-write',
  fsync: 'log-sync',
  fdatasync: 'log-sync',
  write: 'send',
  writev: 'send',
  sendto: 'send',
  sendmsg: 'send',
  read: 'hear',
  recvfrom: 'hear',
  recvmsg: 'hear',
};

/**
 * Reads a trace of a process. What is written or said counts from where its call begins, what is
 * synced or heard from where it ends.
 *
 * @param log Path of the write-ahead log.
 */
export function readCalls(trace: string, log: string): SystemCall[] {
  const calls: (SystemCall | { bytes: number; call: Omit<SystemCall, 'bytes'> })[] = [];
  const open = new Map<string, { call: Omit<SystemCall, 'bytes'>; place: number | null }>();
  for (const line of trace.split('\n')) {
    const resumed = RESUMED.exec(line);
    if (resumed !== null) {
      const begun = open.get(resumed[1]!);
      open.delete(resumed[1]!);
      if (begun === undefined) continue;
      const whole = { ...begun.call, bytes: Number(resumed[2]) };
      if (begun.place === null) calls.push(whole);
      else calls[begun.place] = whole;
      continue;
    }
    const call = readCall(line, log);
    if (call === null) continue;
    const result = / = (-?\d+)[^=]*$/.exec(line);
    if (result !== null && !line.endsWith('<unfinished ...>')) {
      calls.push({ ...call, bytes: Number(result[1]) });
      continue;
    }
    const isFromItsBeginning = call.kind === 'log-write' || call.kind === 'send';
    open.set(pidOf(line), { call, place: isFromItsBeginning ? calls.length : null });
    if (isFromItsBeginning) calls.push({ bytes: 0, call });
  }
  return calls.map((each) => ('call' in each ? { ...each.call, bytes: each.bytes } : each));
}

function pidOf(line: string): string {
  return line.slice(0, line.indexOf(' '));
}

function readCall(line: string, log: string): Omit<SystemCall, 'bytes'> | null {
  const match = CALL.exec(line);
  const kind = KINDS[match?.[3] ?? ''];
  if (match === null || kind === undefined) return null;
  const rest = match[4]!;
  const file = `<${log}>`;
  const [whole = '', socket = ''] = /^\d+<((?:TCP|UNIX)[^\]]*\])>/.exec(rest) ?? [];
  const concernsLog = kind === 'log-write' || kind === 'log-sync';
  if (concernsLog ? !rest.includes(file) : socket === '') return null;
  const text = /"([^"]*)/.exec(rest.slice(whole.length))?.[1] ?? '';
  return { kind, socket, at: Number(match[2]), text, line };
}

export interface Findings {
  /** Each a line of the trace, and what is wrong there. */
  readonly faults: readonly string[];
  /** How many times something of weight was said to a peer. */
  readonly said: number;
  /** How many times that was the first that followed from something heard in a calm. */
  readonly answered: number;
  /** How many pushes were acknowledged. */
  readonly acknowledged: number;
}

/** Frames with a vote, a Block or a Metablock are longer than this; signs of life are shorter. */
const WEIGHT_BYTES = 150;
const CALM_SECONDS = 0.6;

/**
 * Persist, then speak. Three laws: nothing of weight is said to a peer while the log is written and
 * not synced; what is said first after something was heard in a calm was written and synced since;
 * and so it is with the answer to a push.
 */
export function judgeCalls(calls: readonly SystemCall[]): Findings {
  const faults: string[] = [];
  const counts = { said: 0, answered: 0, acknowledged: 0 };
  let isDirty = false;
  let busyAt = Number.NEGATIVE_INFINITY;
  /** For what was heard and is not answered yet: whether something was written and synced since. */
  let heard: { written: boolean; synced: boolean } | null = null;
  const pushes = new Map<string, { written: boolean; synced: boolean }>();
  for (const { kind, socket, bytes, at, text, line } of calls) {
    const waiting = [...pushes.values(), ...(heard === null ? [] : [heard])];
    if (kind === 'log-write') {
      isDirty = true;
      for (const each of waiting) each.written = true;
    } else if (kind === 'log-sync') {
      isDirty = false;
      for (const each of waiting) each.synced = each.written;
    } else if (socket.startsWith('UNIX')) {
      const push = pushes.get(socket);
      if (kind === 'hear' && /^POST \/v1\/pacts\/\w+\/entries/.test(text)) {
        pushes.set(socket, { written: false, synced: false });
        if (at - busyAt > CALM_SECONDS) heard = { written: false, synced: false };
      } else if (kind === 'send' && push !== undefined) {
        pushes.delete(socket);
        counts.acknowledged += 1;
        if (!push.synced) faults.push(`acknowledged before it was durable: ${line}`);
      }
    } else if (bytes >= WEIGHT_BYTES) {
      if (kind === 'hear' && at - busyAt > CALM_SECONDS) heard = { written: false, synced: false };
      busyAt = at;
      if (kind === 'hear') continue;
      counts.said += 1;
      if (isDirty) faults.push(`said while the log was not synced: ${line}`);
      if (heard === null) continue;
      counts.answered += 1;
      if (!heard.synced) faults.push(`said before it was durable: ${line}`);
      heard = null;
    }
  }
  return { faults, ...counts };
}
