import type { Random, Timers } from '../ports/clock.ts';
import type { GossipSettings } from './settings.ts';

/** Weight of a new round trip in the smoothed one. @source RFC 6298, alpha */
const NEW_WEIGHT = 1 / 8;

/** Beats come a little early or late, so that links do not all speak at once. */
const JITTER = 0.2;

/** A ping is due when this part of its interval has passed: beats are jittered. */
const DUE_RATIO = 0.75;

export interface PulseParts {
  readonly timers: Timers;
  readonly random: Random;
  readonly settings: Pick<GossipSettings, 'pingMs' | 'digestMs' | 'missedPingsMax'>;
}

export interface PulseHandler {
  /** @param token To send in a ping; null where it is too early for one. */
  beat(token: number | null): void;
  dead(): void;
}

/** The signs of life of one link: asks for them, times the answers, and notices silence. */
export class Pulse {
  /** Smoothed, in milliseconds; null before the first answer. */
  roundTripMs: number | null = null;

  private readonly parts: PulseParts;
  private readonly handler: PulseHandler;
  private token = 0;
  private askedMs = Number.NEGATIVE_INFINITY;
  private isAnswered = true;
  private hasHeard = true;
  private missed = 0;
  private isHeld = false;
  private cancel: (() => void) | null = null;

  constructor(parts: PulseParts, handler: PulseHandler) {
    this.parts = parts;
    this.handler = handler;
  }

  /** Asks at once: a new link's round trip is wanted soon. */
  start(): void {
    if (this.cancel === null) this.beat();
  }

  stop(): void {
    this.cancel?.();
    this.cancel = null;
  }

  /** Nothing is read from now on: silence means nothing. */
  hold(): void {
    this.isHeld = true;
  }

  release(): void {
    this.isHeld = false;
    this.hasHeard = true;
    // An answer that had to wait here says nothing of the wire.
    this.isAnswered = true;
  }

  heard(): void {
    this.hasHeard = true;
  }

  answered(token: number): void {
    if (this.isAnswered || token !== this.token) return;
    this.isAnswered = true;
    const sampleMs = this.parts.timers.monotonicMs() - this.askedMs;
    this.roundTripMs =
      this.roundTripMs === null
        ? sampleMs
        : this.roundTripMs + NEW_WEIGHT * (sampleMs - this.roundTripMs);
  }

  private beat(): void {
    const { timers, random, settings } = this.parts;
    const intervalMs = Math.min(settings.pingMs, settings.digestMs);
    const delayMs = intervalMs * (1 - JITTER * random.fraction());
    this.cancel = timers.after(delayMs, () => this.beat());
    const isDue = timers.monotonicMs() - this.askedMs >= DUE_RATIO * settings.pingMs;
    if (isDue && this.isSilent()) {
      this.stop();
      this.handler.dead();
      return;
    }
    this.handler.beat(isDue ? this.ask() : null);
  }

  /** Counts a ping that nothing came after. */
  private isSilent(): boolean {
    this.missed = this.hasHeard || this.isHeld ? 0 : this.missed + 1;
    this.hasHeard = false;
    return this.missed >= this.parts.settings.missedPingsMax;
  }

  private ask(): number {
    this.token = (this.token + 1) >>> 0;
    this.askedMs = this.parts.timers.monotonicMs();
    this.isAnswered = false;
    return this.token;
  }
}
