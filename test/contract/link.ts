import { afterEach, describe, expect, it } from 'vitest';
import {
  type Link,
  LinkError,
  type LinkErrorCode,
  type Listening,
  type Transport,
} from '../../src/ports/link.ts';

/** What the suite needs to know of one kind of link. */
export interface LinkCase {
  readonly name: string;
  makeTransport(): Transport;
  /** A URL to listen at that nobody else uses. */
  freeUrl(): string;
  /** A URL at which nobody listens. */
  deadUrl(): Promise<string>;
  readonly brokenUrls: readonly string[];
  /** Where to dial what listens at a URL; the same URL, but for a cable, which has two ends. */
  dialUrl?(listenUrl: string): string;
  /** What dialling where nobody listens comes to; LINK_REFUSED by default. */
  readonly deadCode?: LinkErrorCode;
}

/** A link with all it was told, and the means to wait for more. */
export class Ear {
  readonly link: Link;
  readonly frames: Uint8Array[] = [];
  readonly closes: (LinkError | null)[] = [];
  drains = 0;
  private waiting: { readonly holds: () => boolean; readonly done: () => void }[] = [];

  constructor(link: Link) {
    this.link = link;
    link.handle({
      onFrame: (frame) => {
        this.frames.push(frame);
        this.look();
      },
      onDrain: () => {
        this.drains += 1;
        this.look();
      },
      onClose: (error) => {
        this.closes.push(error);
        this.look();
      },
    });
  }

  /** Resolves when `holds`, looked at after every event of this link. */
  until(holds: () => boolean): Promise<void> {
    if (holds()) return Promise.resolve();
    return new Promise((done) => this.waiting.push({ holds, done }));
  }

  frameCount(count: number): Promise<void> {
    return this.until(() => this.frames.length >= count);
  }

  closed(): Promise<void> {
    return this.until(() => this.closes.length > 0);
  }

  private look(): void {
    const ready = this.waiting.filter((each) => each.holds());
    this.waiting = this.waiting.filter((each) => !ready.includes(each));
    for (const each of ready) each.done();
  }
}

const NEVER = new AbortController().signal;

function frameOf(length: number, seed: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => (index * 31 + seed) & 0xff);
}

/** A turn of the event loop in which sockets are read. */
async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((done) => setImmediate(done));
}

/** As they came where the link keeps their order, else in one that can be compared. */
function asSent(link: Link, frames: readonly Uint8Array[]): readonly Uint8Array[] {
  if (link.isOrdered) return frames;
  return [...frames].sort((a, b) => Buffer.compare(a, b));
}

/** The first byte of each frame. */
function seedsOf({ link, frames }: Ear): (number | undefined)[] {
  const seeds = frames.map((frame) => frame[0]);
  return link.isOrdered ? seeds : seeds.sort((a, b) => (a ?? 0) - (b ?? 0));
}

/**
 * The laws of every kind of link. One that may lose frames, or let them overtake each other, is
 * tried where nothing is lost, and held to what remains: whole, at most once, unaltered.
 */
export function describeLinks(kind: LinkCase): void {
  describe(`${kind.name} links`, () => {
    const transport = kind.makeTransport();
    const dialUrl = kind.dialUrl ?? ((url: string) => url);
    const listening: Listening[] = [];
    const open: Link[] = [];

    afterEach(async () => {
      for (const link of open.splice(0)) link.close(new LinkError('LINK_RESET', 'test is over'));
      for (const each of listening.splice(0)) await each.close();
    });

    async function listen(onLink: (link: Link) => void): Promise<string> {
      const each = await transport.listen(kind.freeUrl(), (link) => {
        open.push(link);
        onLink(link);
      });
      listening.push(each);
      return each.url;
    }

    async function pair(): Promise<{ near: Ear; far: Ear }> {
      let arrived: (link: Link) => void = () => undefined;
      const accepted = new Promise<Ear>((done) => {
        arrived = (link) => done(new Ear(link));
      });
      const url = await listen(arrived);
      const link = await transport.dial(dialUrl(url), NEVER);
      open.push(link);
      return { near: new Ear(link), far: await accepted };
    }

    it('bring frames whole, in order and once, in both directions', async () => {
      const { near, far } = await pair();
      const longest = near.link.frameBytesMax;
      const lengths = [0, 1, 2, 3, 100, Math.min(4_096, longest - 1), longest, 7];
      const sent = lengths.map((length, seed) => frameOf(length, seed));
      for (const frame of sent) {
        near.link.send(frame);
        far.link.send(frame);
      }
      await Promise.all([near.frameCount(sent.length), far.frameCount(sent.length)]);
      expect(asSent(far.link, far.frames)).toEqual(asSent(far.link, sent));
      expect(asSent(near.link, near.frames)).toEqual(asSent(near.link, sent));
    });

    it('keep no hold of a frame that was sent', async () => {
      const { near, far } = await pair();
      const frame = frameOf(1_000, 5);
      near.link.send(frame);
      frame.fill(0);
      await far.frameCount(1);
      expect(far.frames[0]).toEqual(frameOf(1_000, 5));
    });

    it('take a frame of the greatest length and none above', async () => {
      const { near, far } = await pair();
      expect(() => near.link.send(new Uint8Array(near.link.frameBytesMax + 1))).toThrow(/at most/);
      near.link.send(frameOf(near.link.frameBytesMax, 1));
      await far.frameCount(1);
      expect(far.frames[0]?.length).toBe(near.link.frameBytesMax);
    });

    it('say when they are full, and when they are not any more', async () => {
      const { near, far } = await pair();
      const { isOrdered, frameBytesMax } = near.link;
      // Where nothing may be lost the far end holds the near one back; elsewhere its own pace does.
      if (isOrdered) far.link.pause();
      let sent = 0;
      let wantsMore = true;
      while (wantsMore && sent < 1_000) {
        wantsMore = near.link.send(frameOf(Math.min(65_000, frameBytesMax), sent));
        sent += 1;
        if (isOrdered && sent % 8 === 0) await turns(1);
      }
      expect(wantsMore).toBe(false);
      expect(near.link.queuedBytes).toBeGreaterThan(0);
      expect(near.drains).toBe(0);
      far.link.resume();
      await near.until(() => near.drains > 0);
      await far.frameCount(sent);
      expect(near.drains).toBe(1);
      expect(seedsOf(far)).toEqual(Array.from({ length: sent }, (_, seed) => seed & 0xff));
    });

    it('hand over nothing while paused, and all of it afterwards', async () => {
      const { near, far } = await pair();
      near.link.send(frameOf(10, 0));
      await far.frameCount(1);
      far.link.pause();
      for (let seed = 1; seed <= 20; seed++) near.link.send(frameOf(10, seed));
      await turns(20);
      expect(far.frames.length).toBe(1);
      far.link.resume();
      await far.frameCount(21);
      expect(seedsOf(far)).toEqual(Array.from({ length: 21 }, (_, n) => n));
    });

    it('can be paused in the middle of what came at once', async () => {
      const { near, far } = await pair();
      far.link.pause();
      for (let seed = 0; seed < 20; seed++) near.link.send(frameOf(10, seed));
      await turns(10);
      far.link.resume();
      await far.frameCount(1);
      far.link.pause();
      const held = far.frames.length;
      await turns(10);
      expect(far.frames.length).toBe(held);
      far.link.resume();
      await far.frameCount(20);
    });

    it('close exactly once at both ends, whoever closes', async () => {
      const { near, far } = await pair();
      near.link.send(frameOf(50, 1));
      near.link.close();
      near.link.close();
      far.link.close();
      await Promise.all([near.closed(), far.closed()]);
      await turns(5);
      expect(near.closes).toEqual([null]);
      expect(far.closes.length).toBe(1);
    });

    it('deliver what was sent before a close in peace', async () => {
      const { near, far } = await pair();
      for (let seed = 0; seed < 5; seed++) near.link.send(frameOf(1_000, seed));
      near.link.close();
      await far.closed();
      expect(far.frames.length).toBe(5);
      expect(far.closes).toEqual([null]);
    });

    it('report the reason that they were closed for, and take nothing more', async () => {
      const { near, far } = await pair();
      const reason = new LinkError('LINK_TIMEOUT', 'no sign of life');
      near.link.close(reason);
      expect(near.link.send(frameOf(10, 1))).toBe(false);
      await Promise.all([near.closed(), far.closed()]);
      expect(near.closes).toEqual([reason]);
      expect(far.closes.length).toBe(1);
      expect(far.frames).toEqual([]);
    });

    it('hand over no frame after they were closed here', async () => {
      const { near, far } = await pair();
      far.link.close();
      for (let seed = 0; seed < 5; seed++) near.link.send(frameOf(100, seed));
      await Promise.all([near.closed(), far.closed()]);
      expect(far.frames).toEqual([]);
    });

    it('refuse to dial where nobody listens', async () => {
      const url = await kind.deadUrl();
      const code = kind.deadCode ?? 'LINK_REFUSED';
      await expect(transport.dial(url, NEVER)).rejects.toMatchObject({ code });
    });

    it('stop dialling when called off, before or during, and say why', async () => {
      const url = dialUrl(await listen(() => undefined));
      const before = new AbortController();
      before.abort();
      await expect(transport.dial(url, before.signal)).rejects.toMatchObject({
        code: 'LINK_ABORTED',
      });
      const during = new AbortController();
      const dialling = transport.dial(url, during.signal);
      during.abort(new LinkError('LINK_TIMEOUT', 'took too long'));
      await expect(dialling).rejects.toMatchObject({ code: 'LINK_TIMEOUT' });
    });

    it.each(kind.brokenUrls)('refuse the URL %s', async (url) => {
      await expect(transport.dial(url, NEVER)).rejects.toMatchObject({ code: 'LINK_URL' });
    });

    it('refuse to listen at a URL that is taken, until it is free again', async () => {
      const url = await listen(() => undefined);
      const again = transport.listen(url, () => undefined);
      await expect(again).rejects.toMatchObject({ code: 'LINK_IN_USE' });
      await listening.pop()?.close();
      listening.push(await transport.listen(url, () => undefined));
    });

    it('stay open when their listener closes', async () => {
      const { near, far } = await pair();
      await listening.pop()?.close();
      near.link.send(frameOf(10, 3));
      await far.frameCount(1);
      expect(far.closes).toEqual([]);
    });
  });
}
