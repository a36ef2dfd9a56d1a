import { once } from 'node:events';
import type { Channel, ParticipantFace, PulledEntry, PushOptions } from '../participant/face.ts';
import { RequestError } from '../participant/face.ts';
import { chunksOf, parseJson, readLines, readText } from './body.ts';
import { ProblemError } from './problem.ts';
import { type Call, readChoice, readCount } from './router.ts';

/** How far a push has come when it is answered. */
export const PUSH_STATES = ['taken', 'durable', 'final'] as const;
export type PushState = (typeof PUSH_STATES)[number];

export interface PushReport {
  readonly taken: number;
  readonly state: PushState;
}

export interface EntriesLimits {
  readonly bodyBytesMax: number;
  readonly timeoutMs: number;
  /** Entries read from a Channel at once. */
  readonly pullMax: number;
}

type Entry = Readonly<Record<string, unknown>>;

const NDJSON = 'application/x-ndjson';
/** Entries of a stream are written together up to so many characters. */
const WRITE_CHARACTERS = 32 * 1024;

function entryOf(value: unknown, where: string): Entry {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Entry;
  const message = `${where} is no JSON object. An Entry is one, with the fields of its Pact.`;
  throw new ProblemError('entry-invalid', message, { where });
}

/** `POST /v1/pacts/{target}/entries`: one Entry, a list of them, or NDJSON without end. */
export async function pushEntries(
  face: ParticipantFace,
  limits: EntriesLimits,
  call: Call,
): Promise<PushReport> {
  const channel = face.channel(call.parts['target'] ?? '');
  const state = readChoice(call.query, 'wait', PUSH_STATES);
  const whenFull = readChoice(call.query, 'full', ['wait', 'refuse']);
  const options: PushOptions = { whenFull, signal: call.signal };
  const media = (call.request.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase();
  let taken: number;
  if (media === NDJSON) taken = await pushLines(channel, limits, call, options);
  else if (media === 'application/json') taken = await pushList(channel, limits, call, options);
  else {
    const message = `The body must be application/json or ${NDJSON}, not ${media || 'unnamed'}.`;
    throw new ProblemError('media-type', message);
  }
  if (state !== 'taken') await channel.flushed();
  if (state === 'final') await channel.finalized(call.signal);
  return { taken, state };
}

/** All of them or none. */
async function pushList(
  channel: Channel,
  limits: EntriesLimits,
  call: Call,
  options: PushOptions,
): Promise<number> {
  const { bodyBytesMax: bytesMax, timeoutMs } = limits;
  const value = parseJson(await readText(call.request, { bytesMax, timeoutMs }));
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  const entries = list.map((each, index) => entryOf(each, `Entry ${index}`));
  await channel.push(entries, options);
  return entries.length;
}

/** One after the other: a full Entry Buffer stops the reading, and so the sender. */
async function pushLines(
  channel: Channel,
  limits: EntriesLimits,
  call: Call,
  options: PushOptions,
): Promise<number> {
  let taken = 0;
  try {
    for await (const lines of readLines(chunksOf(call.request), limits.bodyBytesMax)) {
      const entries = lines.map(
        ({ line, value }) =>
          () =>
            entryOf(value, `line ${line}`),
      );
      if (await pushTogether(channel, entries, options)) {
        taken += entries.length;
        continue;
      }
      for (const [index, entry] of entries.entries()) {
        await pushOne(channel, entry, `line ${lines[index]!.line}`, options);
        taken++;
      }
    }
  } catch (cause) {
    if (!(cause instanceof ProblemError)) throw cause;
    const where = cause.where === null ? {} : { where: cause.where };
    throw new ProblemError(cause.code, cause.message, { ...where, taken, cause });
  }
  return taken;
}

/** @returns false, with nothing taken, when one of them is refused: then it must be found out. */
async function pushTogether(
  channel: Channel,
  entries: readonly (() => Entry)[],
  options: PushOptions,
): Promise<boolean> {
  try {
    await channel.push(
      entries.map((entry) => entry()),
      options,
    );
    return true;
  } catch (cause) {
    if (cause instanceof RequestError || cause instanceof ProblemError) return false;
    throw cause;
  }
}

async function pushOne(
  channel: Channel,
  entry: () => Entry,
  where: string,
  options: PushOptions,
): Promise<void> {
  try {
    await channel.push([entry()], options);
  } catch (cause) {
    if (!(cause instanceof RequestError)) throw cause;
    const field = cause.where === null ? '' : `, ${cause.where}`;
    const message = `${where}: ${cause.message}`;
    throw new ProblemError(cause.code, message, { where: `${where}${field}`, cause });
  }
}

/** `GET /v1/pacts/{target}/entries`: Finalized Entries from a sequence number on, as NDJSON. */
export async function pullEntries(
  face: ParticipantFace,
  limits: EntriesLimits,
  call: Call,
): Promise<void> {
  const channel = face.channel(call.parts['target'] ?? '');
  const from = readCount(call.query, 'from', { least: 1, otherwise: 1 });
  const most = { least: 1, otherwise: Number.MAX_SAFE_INTEGER };
  const limit = readCount(call.query, 'limit', most);
  const isFollowed = readChoice(call.query, 'follow', ['false', 'true']) === 'true';
  const writer = new LineWriter(call);
  call.response.setHeader('content-type', NDJSON);
  call.response.flushHeaders();
  const entries = isFollowed
    ? channel.follow(from, call.signal)
    : present(face, channel, from, limits.pullMax);
  let count = 0;
  for await (const entry of entries) {
    await writer.write(entry);
    count++;
    if (count >= limit) break;
  }
  await writer.end();
}

/** What is final now; what becomes final while it is read does not keep it going. */
async function* present(
  face: ParticipantFace,
  channel: Channel,
  from: number,
  pullMax: number,
): AsyncGenerator<PulledEntry> {
  const report = face.groups().find((group) => group.id === channel.group.id);
  const last = report?.lastSequence ?? 0;
  for (let next = from; next <= last; ) {
    const entries = channel.pull(next, Math.min(pullMax, last - next + 1));
    if (entries.length === 0) return;
    for (const entry of entries) {
      yield entry;
      next = entry.sequence + 1;
    }
  }
}

/** Writes lines together, at the pace of whoever reads them. */
class LineWriter {
  readonly #call: Call;
  #text = '';
  #isFlushDue = false;

  constructor(call: Call) {
    this.#call = call;
  }

  async write(value: unknown): Promise<void> {
    this.#text += `${JSON.stringify(value)}\n`;
    const isBehind = this.#call.response.writableNeedDrain;
    if (isBehind || this.#text.length >= WRITE_CHARACTERS) await this.#drain();
    else if (!this.#isFlushDue) {
      this.#isFlushDue = true;
      setImmediate(() => {
        this.#isFlushDue = false;
        this.#flush();
      });
    }
  }

  async end(): Promise<void> {
    await this.#drain();
    this.#call.response.end();
  }

  #flush(): boolean {
    const text = this.#text;
    this.#text = '';
    const { response, signal } = this.#call;
    if (text === '' || signal.aborted || response.writableEnded) return true;
    return response.write(text);
  }

  async #drain(): Promise<void> {
    const { response, signal } = this.#call;
    if (this.#flush() && !response.writableNeedDrain) return;
    await once(response, 'drain', { signal });
  }
}
