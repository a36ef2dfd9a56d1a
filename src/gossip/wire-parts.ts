import type { HashFunction } from '../model/bytes.ts';
import type { Priority } from '../model/pact.ts';
import type { GroupId } from '../model/sync-group.ts';
import type { Random, Timers } from '../ports/clock.ts';
import type { LinkErrorCode } from '../ports/link.ts';
import type { KindTotals } from './counters.ts';
import type { AssemblyRoom } from './fragment.ts';
import type { Message } from './messages.ts';
import type { GossipSettings } from './settings.ts';

/** What all wires of a mesh share. */
export interface WireParts {
  readonly timers: Timers;
  readonly random: Random;
  readonly hash: HashFunction;
  readonly settings: GossipSettings;
  readonly defer: (work: () => void) => void;
  readonly room: AssemblyRoom;
  /** One frame being filled; `seal` copies it. */
  readonly scratch: Uint8Array;
  readonly totals: KindTotals;
  readonly priorityOf: (group: GroupId) => Priority;
}

/** What is heard of a wire; generic so that this file need not know what that is. */
export interface WireHandlerOf<Wire> {
  /** What one frame brought, in order. */
  onMessages(wire: Wire, messages: readonly Message[]): void;
  /** A part of an answer came, so many bytes: whoever sends is not silent. */
  onProgress(wire: Wire, bytes: number): void;
  /** A frame is about to be filled: where little waits, more bulk may be put in. */
  onRoom(wire: Wire): void;
  /** Time for a sign of life, and for whatever is said now and then. */
  onBeat(wire: Wire): void;
  /**
   * It is written to no more: whatever follows has to take another way. Once.
   * @param code Why this end gave it up; null where it did not.
   */
  onLeave(wire: Wire, reason: string, code: LinkErrorCode | null): void;
  /** Something was lost here that is not sent again: it has to be found and asked for. */
  onLoss(wire: Wire): void;
  /** Last word. */
  onEnd(wire: Wire): void;
  /** Others to the same peer that can go on when this one, which is in use, ends. */
  standBysOf(wire: Wire): readonly Wire[];
}
