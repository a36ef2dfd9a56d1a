import type { EntrySequence } from '../model/numbers.ts';
import type { EntryValue, Pact } from '../model/pact.ts';
import { type Cause, decodeCause } from '../model/saga.ts';
import type { GroupId, SyncGroup } from '../model/sync-group.ts';
import type { EntryCodec } from '../ports/pacts.ts';
import type { Store, StoredEntry } from '../ports/store.ts';
import { type Channel, type PulledEntry, type PushOptions, RequestError } from './face.ts';
import type { Outlet } from './issuing.ts';

export interface ChannelParts {
  readonly group: SyncGroup;
  readonly codec: EntryCodec;
  readonly store: Store;
  /** Null where this Participant is no owner of the group: it may pull only. */
  readonly outlet: Outlet | null;
  readonly pullMax: number;
  /** The longest encoded Entry that is pushed here; others may permit themselves longer ones. */
  readonly entryBytesMax: number;
  readonly monotonicMs: () => number;
  /** Why a push is refused now; null while all is well. */
  readonly refusal: () => RequestError | null;
  /** Why nothing can be pushed to this group any more; null while it goes on. */
  readonly ended: () => RequestError | null;
  /** Where the group's Entries stand: its own, and those of the groups before and after it. */
  readonly line: () => readonly LinePart[];
  /** The Participant was closed: there is nothing to read any more. */
  readonly isClosed: () => boolean;
  /** Tells the loop that the Entry Buffer has changed. */
  readonly changed: () => void;
  /** Calls back once when something became final in the group. @returns how not to be called. */
  readonly onFinal: (act: () => void) => () => void;
}

/** Which Entries of a line of groups stand in which; both ends are its. */
export interface LinePart {
  readonly group: GroupId;
  readonly first: number;
  readonly last: number;
}

/** A Channel in process. @source features A7. */
export class GroupChannel implements Channel {
  readonly group: SyncGroup;
  readonly pact: Pact;
  private readonly parts: ChannelParts;

  constructor(parts: ChannelParts) {
    this.parts = parts;
    this.group = parts.group;
    this.pact = parts.codec.pact;
  }

  tryPush(entry: Readonly<Record<string, unknown>>): boolean {
    return this.offer(this.outlet(), this.encode(entry));
  }

  async push(
    entries: readonly Readonly<Record<string, unknown>>[],
    options: PushOptions = {},
  ): Promise<void> {
    const outlet = this.outlet();
    const encoded = entries.map((entry, index) => this.encode(entry, index));
    if (options.whenFull === 'refuse') {
      const byteLength = encoded.reduce((sum, each) => sum + each.length, 0);
      if (!outlet.buffer.hasRoom(encoded.length, byteLength)) {
        throw new RequestError(
          'buffer-full',
          `The Entry Buffer of ${this.pact.name} has no room for ${encoded.length} Entries ` +
            `(${byteLength} bytes). Push fewer at once, wait, or raise entry_buffer_bytes_max. ` +
            'Where it stays full: vertebra status says who is awaited.',
        );
      }
    }
    for (const each of encoded) {
      while (!this.offer(outlet, each)) {
        await changeOf(outlet, options.signal);
        this.outlet();
      }
    }
  }

  async flushed(): Promise<void> {
    const { outlet } = this.parts;
    if (outlet === null) return;
    const target = outlet.latest.pushed;
    while (outlet.latest.durable < target) {
      const refusal = outlet.latest.hasLost ? this.parts.ended() : this.parts.refusal();
      if (refusal !== null && outlet.latest.hasLost) throw refusal;
      // Whoever is being stopped still makes durable what it took; who was halted never does.
      if (refusal?.code === 'halted') throw refusal;
      await changeOf(outlet);
    }
  }

  async finalized(signal?: AbortSignal): Promise<void> {
    await this.flushed();
    const { outlet } = this.parts;
    if (outlet === null) return;
    const at = outlet.latest;
    const mine = [...at.inFlight.keys()];
    while (mine.some((block) => at.isInFlight(block))) await changeOf(at, signal);
    const ended = mine.some((block) => at.isLost(block)) ? this.parts.ended() : null;
    if (ended !== null) throw ended;
  }

  pull(from: number, limit: number): PulledEntry[] {
    const { codec, pullMax } = this.parts;
    const wanted = Math.min(limit, pullMax);
    let first = Math.max(1, Math.floor(from));
    // What has no effect is left out, and is no end either.
    for (;;) {
      const stored = this.stored(first, wanted);
      const found = stored.filter(({ isVoid }) => !isVoid);
      if (found.length > 0 || stored.length === 0)
        return found.map((each) => toPulled(codec, each));
      first = stored.at(-1)!.sequence + 1;
    }
  }

  /** Numbers go on from a group to the one that went on from it: read one after the other. */
  private stored(from: number, limit: number): StoredEntry[] {
    const found: StoredEntry[] = [];
    for (const { group, first, last } of this.parts.line()) {
      const start = Math.max(from, first) as EntrySequence;
      if (start > last || found.length >= limit) continue;
      const room = Math.min(limit - found.length, last - start + 1);
      found.push(...this.parts.store.entries(group, start, room));
    }
    return found;
  }

  async *follow(from: number, signal: AbortSignal): AsyncIterable<PulledEntry> {
    let next = Math.max(1, from);
    while (!signal.aborted && !this.parts.isClosed()) {
      const entries = this.pull(next, this.parts.pullMax);
      for (const entry of entries) {
        if (signal.aborted) return;
        yield entry;
        next = entry.sequence + 1;
      }
      if (entries.length === 0) await this.news(signal);
    }
  }

  /** Resolves when something became final, or the signal came. */
  private news(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        cancel();
        signal.removeEventListener('abort', wake);
        resolve();
      };
      const cancel = this.parts.onFinal(wake);
      signal.addEventListener('abort', wake, { once: true });
    });
  }

  private outlet(): Outlet {
    const refusal = this.parts.refusal() ?? this.parts.ended();
    if (refusal !== null) throw refusal;
    if (this.parts.outlet !== null) return this.parts.outlet;
    throw new RequestError(
      'group-not-owned',
      `This Participant is no owner of the Sync Group ${this.group.id.slice(0, 12)} of ` +
        `${this.pact.name}, so it cannot push there. Add one with: vertebra group add ` +
        `${this.pact.name} --owner self --owner NAME...`,
    );
  }

  private encode(entry: Readonly<Record<string, unknown>>, index = 0): Uint8Array {
    const encoded = this.parts.codec.encode(entry);
    if (!encoded.ok) {
      throw new RequestError(
        'entry-invalid',
        `Entry ${index} breaks the Pact ${this.pact.name} in the field ${encoded.field}: ` +
          encoded.message,
        { where: encoded.field },
      );
    }
    const { entryBytesMax, outlet } = this.parts;
    const { length } = encoded.value;
    if (length > entryBytesMax) {
      throw new RequestError(
        'entry-too-long',
        `Entry ${index} has ${length} bytes; at most ${entryBytesMax} are permitted here. ` +
          'Make it shorter, or raise entry_bytes_max.',
      );
    }
    if (outlet !== null && !outlet.buffer.couldHold(length)) {
      throw new RequestError(
        'entry-too-long',
        `Entry ${index} has ${length} bytes and can never fit the Entry Buffer. ` +
          'Make it shorter, or raise entry_buffer_bytes_max.',
      );
    }
    return encoded.value;
  }

  private offer(outlet: Outlet, encoded: Uint8Array): boolean {
    if (!outlet.buffer.offer(encoded, this.parts.monotonicMs())) {
      this.parts.changed();
      return false;
    }
    outlet.pushed++;
    this.parts.changed();
    return true;
  }
}

/** Resolves when room or durability has changed. Rejects with the signal's reason. */
function changeOf(outlet: Outlet, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const onAbort = (): void => {
      cancel();
      reject(signal?.reason);
    };
    const cancel = outlet.onChange(() => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

function toPulled(codec: EntryCodec, stored: StoredEntry): PulledEntry {
  const { sequence, block, index, issuer, atMs, bytes } = stored;
  const values = bytes === null ? null : codec.decode(bytes);
  const entry = values?.ok ? codec.toRecord(values.value) : null;
  const cause = values?.ok ? causeOf(codec.pact, values.value) : null;
  const pulled = { sequence, entry, block, index, issuer, atMs };
  return cause === null ? pulled : { ...pulled, cause };
}

/** Which State of which invocation produced an Entry, as it came decoded. */
export function causeOf(pact: Pact, values: readonly EntryValue[]): Cause | null {
  const cause = values[pact.fields.length];
  return cause instanceof Uint8Array ? decodeCause(cause) : null;
}
