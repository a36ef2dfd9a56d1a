import type { Link, LinkError, LinkHandler, Listening, Transport } from '../../src/ports/link.ts';

/** A transport whose wires can be cut: what is sent then is lost, and neither end is told. */
export class Cable implements Transport {
  readonly kind: Transport['kind'];
  readonly schemes: readonly string[];
  isCut = false;
  private readonly under: Transport;

  constructor(under: Transport) {
    this.under = under;
    this.kind = under.kind;
    this.schemes = under.schemes;
  }

  async dial(url: string, signal: AbortSignal): Promise<Link> {
    return new CableLink(this, await this.under.dial(url, signal));
  }

  listen(url: string, onLink: (link: Link) => void): Promise<Listening> {
    return this.under.listen(url, (link) => onLink(new CableLink(this, link)));
  }
}

class CableLink implements Link {
  readonly kind: Link['kind'];
  readonly remote: string;
  readonly frameBytesMax: number;
  readonly isOrdered = true;
  readonly bytesPerSecond = null;
  readonly repairs = null;
  private readonly cable: Cable;
  private readonly under: Link;
  /** Once it lost something it is broken for good. */
  private isDead = false;
  private handler: LinkHandler | null = null;

  constructor(cable: Cable, under: Link) {
    this.cable = cable;
    this.under = under;
    this.kind = under.kind;
    this.remote = under.remote;
    this.frameBytesMax = under.frameBytesMax;
  }

  get queuedBytes(): number {
    return this.under.queuedBytes;
  }

  send(frame: Uint8Array): boolean {
    return this.isBroken() ? true : this.under.send(frame);
  }

  handle(handler: LinkHandler): void {
    this.handler = handler;
    this.under.handle({
      onFrame: (frame) => {
        if (!this.isBroken()) this.handler?.onFrame(frame);
      },
      onDrain: () => this.handler?.onDrain(),
      onClose: (error) => {
        if (!this.isBroken()) this.finish(error);
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
    // The other end of a broken wire does not hear of it.
    if (this.isBroken()) queueMicrotask(() => this.finish(reason ?? null));
    else this.under.close(reason);
  }

  private finish(error: LinkError | null): void {
    const { handler } = this;
    this.handler = null;
    handler?.onClose(error);
  }

  private isBroken(): boolean {
    this.isDead ||= this.cable.isCut;
    return this.isDead;
  }
}
