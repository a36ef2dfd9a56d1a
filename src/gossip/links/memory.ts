import { invariant } from '../../model/invariant.ts';
import {
  type Link,
  LinkError,
  type LinkHandler,
  type Listening,
  type Transport,
} from '../../ports/link.ts';
import { abortOf } from './called-off.ts';

/** How a pair of links in memory behaves. */
export interface MemoryWire {
  /** Does one delivery later; in the order it was called. */
  readonly defer: (work: () => void) => void;
  readonly frameBytesMax: number;
  /** More than this on the way, and the link wants no more until all of it arrived. */
  readonly queueBytesMax: number;
}

/** One end of a link inside a process: for tests, and to find out what a wire costs. */
class MemoryLink implements Link {
  readonly kind = 'memory';
  readonly remote: string;
  readonly isOrdered = true;
  readonly bytesPerSecond = null;
  readonly repairs = null;
  readonly frameBytesMax: number;
  queuedBytes = 0;

  private readonly wire: MemoryWire;
  private other: MemoryLink | null = null;
  private handler: LinkHandler | null = null;
  /** Frames on their way to this end. */
  private readonly arriving: Uint8Array[] = [];
  private state: 'open' | 'closing' | 'closed' = 'open';
  /** The other end sends no more; when all has arrived, this end closes. */
  private otherEnded = false;
  private error: LinkError | null = null;
  private paused = false;
  private pumping = false;
  private wantsDrain = false;

  constructor(wire: MemoryWire, remote: string) {
    this.wire = wire;
    this.remote = remote;
    this.frameBytesMax = wire.frameBytesMax;
  }

  join(other: MemoryLink): void {
    this.other = other;
  }

  handle(handler: LinkHandler): void {
    invariant(this.handler === null, 'a link has one handler');
    this.handler = handler;
    this.pump();
  }

  send(frame: Uint8Array): boolean {
    invariant(
      frame.length <= this.frameBytesMax,
      `a frame has at most ${this.frameBytesMax} bytes`,
    );
    if (this.state !== 'open' || this.other === null) return false;
    this.queuedBytes += frame.length;
    this.other.arriving.push(frame.slice());
    this.other.pump();
    this.wantsDrain = this.queuedBytes > this.wire.queueBytesMax;
    return !this.wantsDrain;
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
    this.pump();
  }

  close(reason?: LinkError): void {
    if (this.state !== 'open') return;
    this.state = 'closing';
    this.error = reason ?? null;
    if (reason !== undefined && this.other !== null) this.other.arriving.length = 0;
    this.other?.end();
    this.pump();
  }

  private end(): void {
    this.otherEnded = true;
    this.pump();
  }

  private pump(): void {
    if (this.pumping || this.handler === null || this.state === 'closed') return;
    this.pumping = true;
    this.wire.defer(() => {
      this.pumping = false;
      this.step();
    });
  }

  private step(): void {
    if (this.state === 'closing') {
      this.finish();
      return;
    }
    if (this.paused || this.state === 'closed') return;
    const frame = this.arriving.shift();
    if (frame === undefined) {
      if (this.otherEnded) this.finish();
      return;
    }
    this.pump();
    this.other?.arrived(frame.length);
    this.handler?.onFrame(frame);
  }

  private arrived(length: number): void {
    this.queuedBytes -= length;
    if (!this.wantsDrain || this.queuedBytes > 0 || this.state !== 'open') return;
    this.wantsDrain = false;
    this.handler?.onDrain();
  }

  private finish(): void {
    this.state = 'closed';
    const handler = this.handler;
    this.handler = null;
    handler?.onClose(this.error);
  }
}

/** A network inside a process: `memory:name`. Two of them know nothing of each other. */
export class MemoryTransport implements Transport {
  readonly kind = 'memory';
  readonly schemes = ['memory'];
  private readonly wire: MemoryWire;
  private readonly listeners = new Map<string, (link: Link) => void>();
  private dials = 0;

  constructor(wire: Partial<MemoryWire> = {}) {
    this.wire = {
      defer: wire.defer ?? queueMicrotask,
      frameBytesMax: wire.frameBytesMax ?? 65_535,
      queueBytesMax: wire.queueBytesMax ?? 64 * 1024,
    };
  }

  async dial(url: string, signal: AbortSignal): Promise<Link> {
    const name = parseMemoryUrl(url);
    await new Promise<void>((resolve) => this.wire.defer(resolve));
    if (signal.aborted) throw abortOf(signal, url);
    const onLink = this.listeners.get(name);
    if (onLink === undefined) throw new LinkError('LINK_REFUSED', `${url}: nobody listens`);
    this.dials += 1;
    const near = new MemoryLink(this.wire, url);
    const far = new MemoryLink(this.wire, `memory:dial-${this.dials}`);
    near.join(far);
    far.join(near);
    onLink(far);
    return near;
  }

  async listen(url: string, onLink: (link: Link) => void): Promise<Listening> {
    const name = parseMemoryUrl(url);
    if (this.listeners.has(name)) throw new LinkError('LINK_IN_USE', `${url} is taken`);
    this.listeners.set(name, onLink);
    return {
      url,
      close: async () => {
        if (this.listeners.get(name) === onLink) this.listeners.delete(name);
      },
    };
  }
}

function parseMemoryUrl(url: string): string {
  const name = /^memory:([A-Za-z0-9-]{1,64})$/.exec(url)?.[1];
  if (name === undefined) throw new LinkError('LINK_URL', `${url}: a memory link is memory:name`);
  return name;
}
