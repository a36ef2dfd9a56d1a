import type { AvatarId } from '../model/sync-group.ts';

/** After a range that brought nothing new, in milliseconds: doubles up to the greater. */
const WAIT_MIN_MS = 1_000;
const WAIT_MAX_MS = 60_000;

/** Ranges that wait are remembered up to so many; beyond it they are asked for again at once. */
const WAITS_MAX = 8_192;

interface Wait {
  readonly stood: string;
  readonly delayMs: number;
  readonly notBeforeMs: number;
}

/** A range that was asked of a peer, and where we stood in it then. */
export interface Asked {
  readonly peer: AvatarId;
  readonly stood: string;
}

/** How long to leave a range alone that was asked for a moment ago, or in vain. */
export class RangeWaits {
  private readonly waits = new Map<string, Wait>();
  private readonly wake: (atMs: number) => void;

  /** @param wake Asks for another look at this time. */
  constructor(wake: (atMs: number) => void) {
    this.wake = wake;
  }

  mayAsk({ key, peer, stood }: Asked & { readonly key: string }, nowMs: number): boolean {
    const any = this.waits.get(key);
    const one = this.waits.get(key + peer);
    const anyMs = any?.notBeforeMs ?? 0;
    const oneMs = one === undefined || one.stood !== stood ? 0 : one.notBeforeMs;
    const notBeforeMs = Math.max(anyMs, oneMs);
    if (notBeforeMs <= nowMs) return true;
    this.wake(notBeforeMs);
    return false;
  }

  /**
   * What a range brought is judged a moment later, so where we stand is not yet what it will be:
   * for that moment nobody is asked for it again. A peer whose range did not help, because what it
   * sent was refused or it promised too much, is asked less and less often, and others are not.
   */
  after(key: string, asked: Asked, nowMs: number): void {
    this.afterSilence(key, asked, nowMs);
    const notBeforeMs = nowMs + WAIT_MIN_MS;
    this.remember(key, { stood: asked.stood, delayMs: WAIT_MIN_MS, notBeforeMs });
    this.wake(notBeforeMs);
  }

  /** A peer did not answer in time: it is asked less and less often, others are at once. */
  afterSilence(key: string, { peer, stood }: Asked, nowMs: number): void {
    const before = this.waits.get(key + peer);
    const inVain = before !== undefined && before.stood === stood;
    const delayMs = inVain ? Math.min(before.delayMs * 2, WAIT_MAX_MS) : WAIT_MIN_MS;
    this.remember(key + peer, { stood, delayMs, notBeforeMs: nowMs + delayMs });
  }

  private remember(key: string, wait: Wait): void {
    this.waits.delete(key);
    this.waits.set(key, wait);
    if (this.waits.size <= WAITS_MAX) return;
    for (const oldest of this.waits.keys()) {
      this.waits.delete(oldest);
      return;
    }
  }
}
