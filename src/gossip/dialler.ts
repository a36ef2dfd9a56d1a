import type { AvatarId } from '../model/sync-group.ts';
import type { Random, Timers } from '../ports/clock.ts';
import { type Link, LinkError, type LinkKind, type Transport } from '../ports/link.ts';
import { type DialStatus, isTooMany } from './contract.ts';
import type { GossipSettings } from './settings.ts';

/** A link that lasted so long was a good one: the next failure is the first again. */
const STEADY_MS = 10_000;

/** Where one end has no place for the other, the next try is so much later. */
const FULL_MS = 120_000;

export interface DiallerParts {
  readonly timers: Timers;
  readonly random: Random;
  readonly settings: Pick<GossipSettings, 'backoffMinMs' | 'backoffMaxMs' | 'dialMs'>;
  readonly onLink: (dialler: Dialler, link: Link) => void;
  readonly onFailure: (dialler: Dialler, error: LinkError) => void;
  /** Is there a link of this kind to this Avatar, whoever opened it? */
  readonly isLinked: (peer: AvatarId, kind: LinkKind) => boolean;
}

/**
 * Stays linked to whoever is at one URL: dials, waits longer after each failure, and stands by
 * while the Avatar that was met there has another link of the same kind.
 */
export class Dialler {
  readonly url: string;
  /** Who was met here last. */
  peer: AvatarId | null = null;

  private readonly parts: DiallerParts;
  private readonly transport: Transport;
  private state: DialStatus['state'] = 'waiting';
  private failures = 0;
  private lastError: string | null = null;
  private linkedMs = 0;
  private isStopped = false;
  private abort: AbortController | null = null;
  private cancelTimer: (() => void) | null = null;

  constructor(parts: DiallerParts, transport: Transport, url: string) {
    this.parts = parts;
    this.transport = transport;
    this.url = url;
  }

  get status(): DialStatus {
    const { url, state, peer, failures, lastError } = this;
    return { url, kind: this.transport.kind, state, peer, failures, lastError };
  }

  /** Dials now. */
  dial(): void {
    if (this.isStopped) return;
    this.cancelTimer?.();
    if (this.standsBy()) return;
    this.state = 'dialling';
    const abort = new AbortController();
    this.abort = abort;
    this.cancelTimer = this.parts.timers.after(this.parts.settings.dialMs, () => {
      abort.abort(new LinkError('LINK_TIMEOUT', `${this.url}: no answer`));
    });
    this.transport.dial(this.url, abort.signal).then(
      (link) => this.onDialled(link),
      (cause: unknown) => this.onRefused(cause),
    );
  }

  /** The handshake told who is there. */
  met(peer: AvatarId): void {
    this.peer = peer;
    this.state = 'linked';
    this.lastError = null;
    this.linkedMs = this.parts.timers.monotonicMs();
  }

  /** The link that this dialler made is gone. */
  ended(reason: string): void {
    const lastedMs = this.parts.timers.monotonicMs() - this.linkedMs;
    if (this.state === 'linked' && lastedMs >= STEADY_MS) this.failures = 0;
    this.lastError = reason;
    this.waitThenDial();
  }

  /** An Avatar lost a link: dial again if it was this one that made us stand by. */
  lost(peer: AvatarId): void {
    if (this.state !== 'stand-by' || this.peer !== peer || this.standsBy()) return;
    this.failures = 0;
    this.waitThenDial();
  }

  stop(): void {
    this.isStopped = true;
    this.cancelTimer?.();
    this.abort?.abort(new LinkError('LINK_ABORTED', `${this.url}: no longer wanted`));
  }

  private onDialled(link: Link): void {
    this.cancelTimer?.();
    this.abort = null;
    if (this.isStopped) {
      link.close();
      return;
    }
    this.state = 'handshake';
    this.parts.onLink(this, link);
  }

  private onRefused(cause: unknown): void {
    this.cancelTimer?.();
    this.abort = null;
    if (!(cause instanceof LinkError)) throw cause;
    if (this.isStopped) return;
    this.lastError = cause.message;
    this.parts.onFailure(this, cause);
    this.waitThenDial();
  }

  private standsBy(): boolean {
    if (this.peer === null || !this.parts.isLinked(this.peer, this.transport.kind)) return false;
    this.state = 'stand-by';
    return true;
  }

  private waitThenDial(): void {
    if (this.isStopped || this.standsBy()) return;
    const { backoffMinMs, backoffMaxMs } = this.parts.settings;
    const backoffMs = Math.min(backoffMaxMs, backoffMinMs * 2 ** Math.min(this.failures, 30));
    const mostMs = isTooMany(this.lastError) ? FULL_MS : backoffMs;
    const delayMs = mostMs * (0.5 + 0.5 * this.parts.random.fraction());
    this.failures += 1;
    this.state = 'waiting';
    this.cancelTimer = this.parts.timers.after(delayMs, () => this.dial());
  }
}
