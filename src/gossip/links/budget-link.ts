import type { Timers } from '../../ports/clock.ts';
import type {
  Link,
  LinkError,
  LinkHandler,
  LinkRepairs,
  Listening,
  MeetingHandler,
  Transport,
} from '../../ports/link.ts';
import { joinBudget, type LinkBudget, splitBudget } from './budget-url.ts';
import { isQuietAt, minuteOfDay } from './quiet-hours.ts';
import { TokenBucket } from './token-bucket.ts';

/** What lies before each frame on the wire, as links count it. */
const FRAME_LENGTH_BYTES = 4;

/** A frame takes a twentieth of a second where that leaves room for a handshake. */
const FRAME_SECONDS = 0.05;
const FRAME_BYTES_MIN = 1_024;

/** So often it is looked whether quiet hours are over: clocks are set, and summers begin. */
const LOOK_MS = 60_000;

/** A link that sends as a budget permits; what comes is for the other end to bound. */
export class BudgetLink implements Link {
  readonly kind: Link['kind'];
  readonly remote: string;
  readonly isOrdered: boolean;
  readonly bytesPerSecond: number | null;
  readonly frameBytesMax: number;
  readonly begins?: boolean;
  readonly compresses: boolean;

  private readonly under: Link;
  private readonly budget: LinkBudget;
  private readonly timers: Timers;
  private readonly bucket: TokenBucket | null;
  private readonly waiting: Uint8Array[] = [];
  private waitingBytes = 0;
  private handler: LinkHandler | null = null;
  /** The link below wants no more until it drains. */
  private isFull = false;
  private wantsDrain = false;
  private wasQuiet = false;
  private cancelPump: (() => void) | null = null;
  private cancelLook: (() => void) | null = null;

  constructor(under: Link, budget: LinkBudget, timers: Timers) {
    this.under = under;
    this.budget = budget;
    this.timers = timers;
    this.kind = under.kind;
    this.remote = under.remote;
    this.isOrdered = under.isOrdered;
    if (under.begins !== undefined) this.begins = under.begins;
    this.compresses = under.isOrdered && budget.compress;
    const { bytesPerSecond: rate } = budget;
    this.bucket = rate === null ? null : new TokenBucket(rate, timers.monotonicMs());
    const rates = [rate, under.bytesPerSecond].filter((each) => each !== null);
    this.bytesPerSecond = rates.length === 0 ? null : Math.min(...rates);
    const shareBytes = rate === null ? Number.POSITIVE_INFINITY : Math.floor(rate * FRAME_SECONDS);
    // Frames of datagrams have one length: a message is cut for it.
    this.frameBytesMax = under.isOrdered
      ? Math.min(under.frameBytesMax, Math.max(FRAME_BYTES_MIN, shareBytes))
      : under.frameBytesMax;
  }

  get repairs(): LinkRepairs | null {
    return this.under.repairs;
  }

  get queuedBytes(): number {
    return this.waitingBytes + this.under.queuedBytes;
  }

  get isQuiet(): boolean {
    const { quiet } = this.budget;
    return quiet !== null && isQuietAt(quiet, minuteOfDay(this.timers.wallMs()));
  }

  send(frame: Uint8Array): boolean {
    if (this.bucket === null) return this.under.send(frame);
    this.waiting.push(frame.slice());
    this.waitingBytes += frame.length;
    this.pump(this.bucket);
    this.wantsDrain = this.isFull || this.waiting.length > 0;
    return !this.wantsDrain;
  }

  handle(handler: LinkHandler): void {
    this.handler = handler;
    this.under.handle({
      onFrame: (frame) => handler.onFrame(frame),
      onDrain: () => {
        this.isFull = false;
        if (this.bucket === null) handler.onDrain();
        else this.pump(this.bucket);
      },
      onClose: (error) => {
        this.stop();
        handler.onClose(error);
      },
    });
    if (this.budget.quiet !== null) this.look();
  }

  vouch(): void {
    this.under.vouch?.();
  }

  pause(): void {
    this.under.pause();
  }

  resume(): void {
    this.under.resume();
  }

  close(reason?: LinkError): void {
    // A good-bye is no reason to wait.
    if (reason === undefined) for (const frame of this.waiting) this.under.send(frame);
    this.stop();
    this.under.close(reason);
  }

  private pump(bucket: TokenBucket): void {
    while (this.waiting.length > 0 && !this.isFull) {
      const waitMs = bucket.waitMs(this.timers.monotonicMs());
      if (waitMs > 0) {
        this.cancelPump?.();
        this.cancelPump = this.timers.after(waitMs, () => this.pump(bucket));
        return;
      }
      const frame = this.waiting.shift()!;
      this.waitingBytes -= frame.length;
      bucket.take(frame.length + FRAME_LENGTH_BYTES);
      this.isFull = !this.under.send(frame);
    }
    if (!this.wantsDrain || this.isFull) return;
    this.wantsDrain = false;
    this.handler?.onDrain();
  }

  /** Says so when quiet hours are over. */
  private look(): void {
    const { isQuiet } = this;
    if (this.wasQuiet && !isQuiet) this.handler?.onDrain();
    this.wasQuiet = isQuiet;
    this.cancelLook = this.timers.after(LOOK_MS, () => this.look());
  }

  private stop(): void {
    this.cancelPump?.();
    this.cancelLook?.();
    this.waiting.length = 0;
    this.waitingBytes = 0;
  }
}

/** Links of any kind, each within the budget that its URL names, if it names one. */
export class BudgetTransport implements Transport {
  readonly kind: Transport['kind'];
  readonly schemes: readonly string[];
  private readonly under: Transport;
  private readonly timers: Timers;

  constructor(under: Transport, timers: Timers) {
    this.under = under;
    this.timers = timers;
    this.kind = under.kind;
    this.schemes = under.schemes;
  }

  async dial(url: string, signal: AbortSignal): Promise<Link> {
    const { url: bare, budget } = splitBudget(url);
    return this.made(await this.under.dial(bare, signal), budget);
  }

  /** Each link that is accepted, or opened to somebody who was met, has the whole budget. */
  async listen(
    url: string,
    onLink: (link: Link) => void,
    onMet?: MeetingHandler,
  ): Promise<Listening> {
    const { url: bare, budget } = splitBudget(url);
    const met = onMet && {
      onFound: (found: string) => onMet.onFound(joinBudget(found, url)),
      onLost: (lost: string) => onMet.onLost(joinBudget(lost, url)),
    };
    return this.under.listen(bare, (link) => onLink(this.made(link, budget)), met);
  }

  isMeetingPlace(url: string): boolean {
    return this.under.isMeetingPlace?.(splitBudget(url).url) ?? false;
  }

  private made(link: Link, budget: LinkBudget | null): Link {
    return budget === null ? link : new BudgetLink(link, budget, this.timers);
  }
}
