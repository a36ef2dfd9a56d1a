import type { Random, Timers } from '../ports/clock.ts';
import type { Pace } from './pace.ts';

/** Least weight of a new round trip in the smoothed one. @source RFC 6298, alpha */
const NEW_WEIGHT = 1 / 8;

/** Beats come a little early or late, so that links do not all speak at once. */
const JITTER = 0.2;

/** After this part of the interval without an answer another ping is due: beats are jittered. */
const DUE_RATIO = 0.75;

/** Signs of life asked for while another link stands by, until that one takes over. */
const ASKED_OF_STOOD_BY = 3;

/** Frames between two beats that make a link one in use; an idle one has three or four. */
const BUSY_FRAMES = 12;

export interface PulseParts {
  readonly timers: Timers;
  readonly random: Random;
  readonly pace: Pick<
    Pace,
    | 'pingMs'
    | 'digestMs'
    | 'missedPingsMax'
    | 'standByMs'
    | 'bytesPerSecond'
    | 'firstPingMs'
    | 'busyPingMs'
  >;
}

export interface PulseHandler {
  /** @param token To send in a ping; null while the last one may still be answered. */
  beat(token: number | null): void;
  dead(): void;
  /** The pulses of other links that can go on at once when this one ends. */
  standBys(): readonly Pulse[];
}

/** The signs of life of one link: asks for them, times the answers, and notices silence. */
export class Pulse {
  /** Smoothed, in milliseconds; null before the first answer. */
  roundTripMs: number | null = null;
  /** When there was a sign of life last. */
  heardMs: number;

  private readonly parts: PulseParts;
  private readonly handler: PulseHandler;
  private token = 0;
  private askedMs = 0;
  private isAnswered = true;
  private answers = 0;
  /** Frames since the last beat. */
  private heardFrames = 0;
  /** Doubles from the first to the longest. */
  private intervalMs: number;
  private isHeld = false;
  private cancel: (() => void) | null = null;

  constructor(parts: PulseParts, handler: PulseHandler) {
    this.parts = parts;
    this.handler = handler;
    this.heardMs = parts.timers.monotonicMs();
    this.intervalMs = parts.pace.firstPingMs;
  }

  /** Asks at once: a new link's round trip is wanted soon. */
  start(): void {
    if (this.cancel === null) this.beat();
  }

  /** There may be a link that stands by from now on: the next beat is not to wait for long. */
  quicken(): void {
    if (this.cancel === null || this.watchers().length === 0) return;
    this.cancel();
    this.beat();
  }

  /** Asks now, because another link to the same peer is in doubt. */
  probe(): void {
    if (this.isAnswered) this.handler.beat(this.ask());
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
    this.heardMs = this.parts.timers.monotonicMs();
    // An answer that had to wait here says nothing of the wire.
    this.isAnswered = true;
  }

  heard(): void {
    this.heardMs = this.parts.timers.monotonicMs();
    this.heardFrames += 1;
  }

  answered(token: number): void {
    if (this.isAnswered || token !== this.token) return;
    this.isAnswered = true;
    this.answers += 1;
    const sampleMs = this.parts.timers.monotonicMs() - this.askedMs;
    // The mean of the first ones: a link is often made while both ends are busy starting.
    const weight = Math.max(NEW_WEIGHT, 1 / this.answers);
    this.roundTripMs = (this.roundTripMs ?? 0) * (1 - weight) + sampleMs * weight;
  }

  private beat(): void {
    const { timers, random, pace } = this.parts;
    const { pingMs, missedPingsMax } = pace;
    const silentMs = timers.monotonicMs() - this.heardMs;
    const standBys = this.watchers();
    const isDead = silentMs >= pingMs * missedPingsMax || this.isOutlived(standBys, silentMs);
    if (!this.isHeld && isDead) {
      this.stop();
      this.handler.dead();
      return;
    }
    const isBusy = this.heardFrames >= BUSY_FRAMES;
    this.heardFrames = 0;
    const askMs = standBys.length > 0 ? pace.standByMs / ASKED_OF_STOOD_BY : pingMs;
    if (!this.isHeld && silentMs >= askMs) for (const each of standBys) each.probe();
    const longestMs = Math.min(pingMs, pace.digestMs, askMs);
    const intervalMs = Math.min(longestMs, isBusy ? pace.busyPingMs : this.intervalMs);
    this.intervalMs = Math.min(longestMs, intervalMs * 2);
    const delayMs = intervalMs * (1 - JITTER * random.fraction());
    this.cancel = timers.after(delayMs, () => this.beat());
    this.handler.beat(this.ask());
  }

  /** Those that stand by; none where signs of life are dear. */
  private watchers(): readonly Pulse[] {
    return this.parts.pace.bytesPerSecond === null ? this.handler.standBys() : [];
  }

  /**
   * Was it silent for long, and another one heard well after it? A process that stood still itself
   * heard neither.
   */
  private isOutlived(standBys: readonly Pulse[], silentMs: number): boolean {
    const { standByMs } = this.parts.pace;
    const leastMs = this.heardMs + (standByMs * (ASKED_OF_STOOD_BY - 1)) / ASKED_OF_STOOD_BY;
    return silentMs >= standByMs && standBys.some(({ heardMs }) => heardMs >= leastMs);
  }

  private ask(): number | null {
    const waitedMs = this.parts.timers.monotonicMs() - this.askedMs;
    if (!this.isAnswered && waitedMs < DUE_RATIO * this.parts.pace.pingMs) return null;
    this.token = (this.token + 1) >>> 0;
    this.askedMs = this.parts.timers.monotonicMs();
    this.isAnswered = false;
    return this.token;
  }
}
