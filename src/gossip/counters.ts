import type { LinkKind } from '../ports/link.ts';
import type { LinkCounters, LinkTotals } from './contract.ts';
import type { MessageName } from './messages.ts';

export type Totals = LinkTotals;

/** What lies before each frame on the wire. */
const FRAME_LENGTH_BYTES = 4;

export function makeTotals(): Totals {
  return { framesSent: 0, framesReceived: 0, bytesSent: 0, bytesReceived: 0 };
}

/** Of all links since the start, kept for each kind. */
export class KindTotals {
  private readonly kinds = new Map<LinkKind, Totals>();

  of(kind: LinkKind): Totals {
    let totals = this.kinds.get(kind);
    if (totals === undefined) {
      totals = makeTotals();
      this.kinds.set(kind, totals);
    }
    return totals;
  }

  get byKind(): Partial<Record<LinkKind, LinkTotals>> {
    return structuredClone(Object.fromEntries(this.kinds));
  }

  get all(): LinkTotals {
    const sum = makeTotals();
    for (const each of this.kinds.values()) {
      sum.framesSent += each.framesSent;
      sum.framesReceived += each.framesReceived;
      sum.bytesSent += each.bytesSent;
      sum.bytesReceived += each.bytesReceived;
    }
    return sum;
  }
}

export function makeCounters(): LinkCounters {
  return {
    ...makeTotals(),
    messagesSent: {},
    messagesReceived: {},
    dropped: 0,
    duplicates: 0,
  };
}

export function countSent(totals: Totals, frame: Uint8Array): void {
  totals.framesSent += 1;
  totals.bytesSent += frame.length + FRAME_LENGTH_BYTES;
}

export function countReceived(totals: Totals, frame: Uint8Array): void {
  totals.framesReceived += 1;
  totals.bytesReceived += frame.length + FRAME_LENGTH_BYTES;
}

export function countMessage(
  counters: Record<string, number>,
  name: MessageName | 'unknown' | undefined,
): void {
  if (name !== undefined) counters[name] = (counters[name] ?? 0) + 1;
}
