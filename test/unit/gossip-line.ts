import type { Timers } from '../../src/ports/clock.ts';
import type {
  Link,
  LinkError,
  LinkHandler,
  LinkKind,
  Listening,
  Transport,
} from '../../src/ports/link.ts';

export interface LineOptions {
  readonly kind: LinkKind;
  /** Bytes a second in each direction, frame lengths included; null: as fast as memory. */
  readonly bytesPerSecond: number | null;
  readonly frameBytesMax?: number;
  readonly timers: Timers;
}

/** What each frame costs beside its bytes. */
export const LINE_FRAME_BYTES = 4;

/**
 * Links of any kind, paced as a cable would: what waits for its turn waits here. The URLs of kind
 * `serial` are `serial:NAME`, and lead to `memory:NAME` below.
 */
export class Line implements Transport {
  readonly kind: LinkKind;
  readonly schemes: readonly string[];
  readonly options: LineOptions;
  /** Of all links, both ways, when they have left. */
  bytes = 0;
  frames = 0;
  /** Nothing arrives any more, and nobody is told. */
  isCut = false;
  private readonly under: Transport;
  private readonly open = new Set<LineLink>();

  constructor(under: Transport, options: LineOptions) {
    this.under = under;
    this.kind = options.kind;
    this.schemes = [options.kind];
    this.options = options;
  }

  async dial(url: string, signal: AbortSignal): Promise<Link> {
    return this.made(await this.under.dial(this.below(url), signal), url);
  }

  async listen(url: string, onLink: (link: Link) => void): Promise<Listening> {
    const listening = await this.under.listen(this.below(url), (link) =>
      onLink(this.made(link, `${this.kind}:caller`)),
    );
    return { url, close: () => listening.close() };
  }

  /** Ends every link, as one whose cable is pulled out. */
  unplug(error: LinkError): void {
    for (const link of [...this.open]) link.close(error);
  }

  left(bytes: number): void {
    this.frames += 1;
    this.bytes += bytes + LINE_FRAME_BYTES;
  }

  ended(link: LineLink): void {
    this.open.delete(link);
  }

  private made(under: Link, remote: string): Link {
    const link = new LineLink(this, under, remote);
    this.open.add(link);
    return link;
  }

  private below(url: string): string {
    return url.replace(`${this.kind}:`, 'memory:');
  }
}

class LineLink implements Link {
  readonly kind: LinkKind;
  readonly remote: string;
  readonly isOrdered = true;
  readonly repairs = null;
  readonly frameBytesMax: number;
  queuedBytes = 0;
  private readonly line: Line;
  private readonly under: Link;
  private readonly waiting: Uint8Array[] = [];
  private handler: LinkHandler | null = null;
  private isBusy = false;
  private isClosing = false;

  constructor(line: Line, under: Link, remote: string) {
    this.line = line;
    this.under = under;
    this.kind = line.kind;
    this.remote = remote;
    this.frameBytesMax = line.options.frameBytesMax ?? under.frameBytesMax;
  }

  get bytesPerSecond(): number | null {
    return this.line.options.bytesPerSecond;
  }

  send(frame: Uint8Array): boolean {
    if (frame.length > this.frameBytesMax) throw new Error('a frame longer than the line takes');
    this.queuedBytes += frame.length;
    this.waiting.push(frame.slice());
    this.pump();
    return this.waiting.length === 0;
  }

  handle(handler: LinkHandler): void {
    this.handler = handler;
    this.under.handle({
      onFrame: (frame) => handler.onFrame(frame),
      onDrain: () => undefined,
      onClose: (error) => {
        this.line.ended(this);
        this.handler = null;
        handler.onClose(error);
      },
    });
  }

  pause(): void {
    this.under.pause();
  }

  resume(): void {
    this.under.resume();
  }

  close(reason?: LinkError): void {
    this.isClosing = true;
    if (reason !== undefined || this.waiting.length === 0) this.under.close(reason);
  }

  private pump(): void {
    const [frame] = this.waiting;
    if (this.isBusy || frame === undefined) return;
    const { bytesPerSecond, timers } = this.line.options;
    if (bytesPerSecond === null) {
      this.pass();
      return;
    }
    this.isBusy = true;
    const delayMs = ((frame.length + LINE_FRAME_BYTES) * 1_000) / bytesPerSecond;
    timers.after(delayMs, () => {
      this.isBusy = false;
      this.pass();
    });
  }

  private pass(): void {
    const frame = this.waiting.shift();
    if (frame === undefined) return;
    this.queuedBytes -= frame.length;
    this.line.left(frame.length);
    if (!this.line.isCut) this.under.send(frame);
    if (this.waiting.length > 0) this.pump();
    else if (this.isClosing) this.under.close();
    else this.handler?.onDrain();
  }
}
