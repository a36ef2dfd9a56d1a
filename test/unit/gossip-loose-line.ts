import type { Random, Timers } from '../../src/ports/clock.ts';
import type { Link, LinkError, LinkHandler, Listening, Transport } from '../../src/ports/link.ts';

/** What becomes of frames on their way; parts of 1. */
export interface Looseness {
  readonly timers: Timers;
  readonly random: Random;
  lost: number;
  twice: number;
  /** A frame takes between `leastMs` and so much more. */
  readonly leastMs: number;
  readonly jitterMs: number;
}

/** The URLs `loose:NAME` lead to `memory:NAME`, by a way on which frames get lost and overtaken. */
export class LooseLine implements Transport {
  readonly kind = 'udp';
  readonly schemes = ['loose'];
  readonly looseness: Looseness;
  lostFrames = 0;
  private readonly under: Transport;

  constructor(under: Transport, looseness: Looseness) {
    this.under = under;
    this.looseness = looseness;
  }

  async dial(url: string, signal: AbortSignal): Promise<Link> {
    return new LooseLink(this, await this.under.dial(belowOf(url), signal));
  }

  async listen(url: string, onLink: (link: Link) => void): Promise<Listening> {
    const below = await this.under.listen(belowOf(url), (link) =>
      onLink(new LooseLink(this, link)),
    );
    return { url, close: () => below.close() };
  }
}

function belowOf(url: string): string {
  return url.replace(/^loose:/, 'memory:loose-');
}

class LooseLink implements Link {
  readonly kind = 'udp';
  readonly remote: string;
  readonly isOrdered = false;
  readonly bytesPerSecond = null;
  readonly repairs = { broken: 0, repeated: 0 };
  readonly frameBytesMax = 1_184;
  private readonly line: LooseLine;
  private readonly under: Link;

  constructor(line: LooseLine, under: Link) {
    this.line = line;
    this.under = under;
    this.remote = under.remote;
  }

  get queuedBytes(): number {
    return this.under.queuedBytes;
  }

  send(frame: Uint8Array): boolean {
    const { timers, random, lost, twice, leastMs, jitterMs } = this.line.looseness;
    const copies = random.fraction() < twice ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      if (random.fraction() < lost) {
        this.line.lostFrames += 1;
        continue;
      }
      const sent = frame.slice();
      timers.after(leastMs + jitterMs * random.fraction(), () => this.under.send(sent));
    }
    return true;
  }

  handle(handler: LinkHandler): void {
    this.under.handle(handler);
  }

  pause(): void {
    this.under.pause();
  }

  resume(): void {
    this.under.resume();
  }

  close(reason?: LinkError): void {
    this.under.close(reason);
  }
}
