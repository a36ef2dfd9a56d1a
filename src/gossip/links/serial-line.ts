import type { Checksum } from '../../ports/checksum.ts';
import { LinkError, type LinkErrorCode, type LinkRepairs } from '../../ports/link.ts';
import { SerialCall } from './serial-call.ts';
import { SerialFlow } from './serial-flow.ts';
import { type SerialFrame, SerialFrameCutter } from './serial-frame.ts';
import { SerialNoise } from './serial-noise.ts';
import { SerialOutput } from './serial-output.ts';
import type { SerialPace } from './serial-pace.ts';
import type { SerialAction, SerialEvent } from './serial-step.ts';

/** A line that carried nothing for so long carries a sign of life: less than a bit a second. */
export const SERIAL_KEEP_ALIVE_MS = 300_000;

/** An idle end is gone after so long without one. */
export const SERIAL_GONE_MS = 3.5 * SERIAL_KEEP_ALIVE_MS;

const USELESS = {
  echo: 'the line sends back what this end sends',
  strange: 'the other end speaks another version',
} as const;

export interface SerialLineParts {
  readonly pace: SerialPace;
  readonly checksum: Checksum;
  /** Drawn for this connection, 1 to 2^32 - 1. */
  readonly number: number;
  /** For people: what the line is called. */
  readonly name: string;
}

/**
 * One connection over a serial line, from the first call to the end, as a machine without clock and
 * port: events in, actions out. It writes no faster than the line carries, and little ahead of it,
 * so that what is urgent stands behind little.
 */
export class SerialLine {
  private readonly parts: SerialLineParts;
  private readonly cutter: SerialFrameCutter;
  private readonly call: SerialCall;
  private readonly output: SerialOutput;
  private readonly flow: SerialFlow;
  private readonly noise: SerialNoise;
  /** `ended`: the other end closed, and what it sent before is not all fetched. */
  private state: 'calling' | 'open' | 'closing' | 'ended' | 'closed' = 'calling';
  private actions: SerialAction[] = [];
  private wantsDrain = false;
  private steppedMs = Number.NEGATIVE_INFINITY;
  private callMs: number;
  private nextCallMs = Number.NEGATIVE_INFINITY;
  /** Has anything but calls come from the other end? */
  private isHeard = false;
  private heardMs = 0;
  private closeByMs = 0;
  private endMs = Number.NEGATIVE_INFINITY;

  constructor(parts: SerialLineParts) {
    const { pace, checksum } = parts;
    this.parts = parts;
    this.cutter = new SerialFrameCutter(checksum);
    this.call = new SerialCall(parts.number);
    this.output = new SerialOutput(pace, checksum);
    this.flow = new SerialFlow({ pace, output: this.output, call: this.call });
    this.noise = new SerialNoise(pace.noiseMs);
    this.callMs = pace.callMs;
  }

  get queuedBytes(): number {
    return this.flow.sender.queuedBytes;
  }

  get repairs(): LinkRepairs {
    const broken = this.cutter.broken + this.flow.repeatedHere;
    return { broken, repeated: this.flow.sender.repeated };
  }

  get isOpen(): boolean {
    return this.state === 'open';
  }

  /** Is there something to fetch? */
  get hasWhole(): boolean {
    return this.state !== 'closing' && this.state !== 'closed' && this.flow.receiver.hasWhole;
  }

  /** When all that was written has left, by the rate of the line. */
  get freeMs(): number {
    return this.output.freeMs;
  }

  /** What the other end has not confirmed waits here; a frame more would have to wait as well. */
  isFull(nowMs: number): boolean {
    return this.state !== 'open' || this.flow.isFull(nowMs);
  }

  /** Takes what happened. @returns what to do, in order. */
  step(event: SerialEvent, nowMs: number): SerialAction[] {
    this.actions = [];
    if (this.state === 'closed') return this.actions;
    this.steppedMs = nowMs;
    this.mind(event, nowMs);
    this.advance(nowMs);
    this.flush();
    if (event.kind === 'send') this.wantsDrain = this.state === 'open' && this.isFull(nowMs);
    else if (this.wantsDrain && !this.isFull(nowMs)) {
      this.wantsDrain = false;
      this.actions.push({ kind: 'drain' });
    }
    return this.actions;
  }

  /** When to come back with a tick, if nothing happens before; null: never. */
  get wakeMs(): number | null {
    if (this.state === 'closed') return null;
    const times: (number | null)[] = [];
    if (this.state === 'calling') times.push(this.nextCallMs);
    else {
      times.push(...this.flow.wakeTimes, this.heardMs + SERIAL_GONE_MS);
      times.push(this.output.sentMs + SERIAL_KEEP_ALIVE_MS);
    }
    if (this.wantsDrain) times.push(this.output.readyMs);
    if (this.state === 'closing') times.push(this.closeByMs, this.endMs);
    // What was due at the last step was done then, or waits for something else than time.
    const future = times.filter((time): time is number => time !== null && time > this.steppedMs);
    return future.length === 0 ? null : Math.min(...future);
  }

  private mind(event: SerialEvent, nowMs: number): void {
    switch (event.kind) {
      case 'heard':
        this.hear(event.bytes, nowMs);
        return;
      case 'written':
        this.output.written(event.count);
        return;
      case 'send':
        if (this.state === 'open') this.flow.sender.push(event.frame);
        return;
      case 'fetch': {
        const frame = this.state === 'closing' ? null : this.flow.fetch(nowMs);
        if (frame !== null) this.actions.push({ kind: 'frame', frame });
        return;
      }
      case 'close':
        this.close(nowMs);
        return;
      case 'tick':
        return;
      case 'abort':
        if (this.state !== 'calling') this.flow.write({ kind: 'reset' }, nowMs);
        this.finish(null);
        return;
      default:
        event satisfies never;
    }
  }

  /** Does whatever its time has come for. */
  private advance(nowMs: number): void {
    if (this.state === 'calling' && this.nextCallMs <= nowMs) this.callOut(nowMs);
    if (this.state === 'open' || this.state === 'closing') this.flow.pump(nowMs);
    if (this.state === 'closing') this.proceedClosing(nowMs);
    if (this.state === 'open') this.watch(nowMs);
    if (this.state === 'ended' && !this.flow.receiver.hasWhole) this.finish(null);
  }

  /** What was written comes before the last word. */
  private flush(): void {
    const writes = this.output.take().map((bytes) => ({ kind: 'write', bytes }) as const);
    const at = this.actions.findIndex((each) => each.kind === 'down');
    this.actions.splice(at < 0 ? this.actions.length : at, 0, ...writes);
  }

  private hear(bytes: Uint8Array, nowMs: number): void {
    const { broken } = this.cutter;
    const frames = this.cutter.push(bytes);
    if (this.state === 'calling' && frames.length === 0) {
      const isNoise = this.noise.hear(bytes.length, this.cutter.broken - broken, nowMs);
      if (isNoise) this.actions.push({ kind: 'noise' });
    }
    for (const frame of frames) {
      if (this.state === 'closed') return;
      this.noise.silence();
      if (frame.kind === 'hello') this.onHello(frame, nowMs);
      else this.onFrame(frame, nowMs);
    }
  }

  private onHello(frame: SerialFrame, nowMs: number): void {
    // It closed and calls anew: it is answered when all that it sent before has been fetched.
    if (this.state === 'ended') return;
    const isCalling = this.state === 'calling';
    const verdict = this.call.read(frame.payload);
    switch (verdict) {
      case 'echo':
      case 'strange':
        if (isCalling) this.fail('LINK_REFUSED', USELESS[verdict]);
        return;
      case 'anew':
        if (!isCalling) this.fail('LINK_RESET', 'the other end began anew');
        else if (this.call.isHeardBy(frame.payload)) this.open(nowMs);
        else this.sayHello(nowMs);
        return;
      case 'unheard':
      case 'heard':
        if (verdict === 'heard' && isCalling) this.open(nowMs);
        else if (verdict === 'unheard' || !this.isHeard) this.sayHello(nowMs);
        return;
      default:
        verdict satisfies never;
    }
  }

  private onFrame(frame: SerialFrame, nowMs: number): void {
    if (!this.call.isMet || frame.tag !== this.call.heardTag) return;
    // The other end knows both numbers, or it could not have made this.
    if (this.state === 'calling') this.open(nowMs);
    this.isHeard = true;
    this.heardMs = nowMs;
    if (frame.kind === 'reset') {
      this.fail('LINK_RESET', 'the other end gave the link up');
      return;
    }
    if (!this.flow.hear(frame, nowMs)) {
      this.fail('LINK_FRAME_TOO_LONG', 'parts that no frame can have');
      return;
    }
    if (this.state === 'closing') this.flow.receiver.discard();
    if (frame.kind === 'end-confirmed' && this.state === 'closing') this.finish(null);
    if (frame.kind !== 'end') return;
    this.flow.write({ kind: 'end-confirmed' }, nowMs);
    // It may come twice; what came before it is still to be fetched.
    if (this.state === 'open') this.state = 'ended';
    else if (this.state === 'closing') this.finish(null);
  }

  private callOut(nowMs: number): void {
    this.sayHello(nowMs);
    this.nextCallMs = nowMs + this.callMs;
    this.callMs = Math.min(this.callMs * 1.5, this.parts.pace.callMsMax);
  }

  private sayHello(nowMs: number): void {
    // A port that takes nothing must not be given ever more.
    if (this.output.isStuck) return;
    this.flow.write({ kind: 'hello', tag: 0, payload: this.call.hello }, nowMs);
  }

  private open(nowMs: number): void {
    this.state = 'open';
    this.heardMs = nowMs;
    this.sayHello(nowMs);
    this.flow.tell(nowMs);
    this.actions.push({ kind: 'up', begins: this.call.begins });
  }

  /** An idle line shows that it lives, and ends when the other end does not. */
  private watch(nowMs: number): void {
    if (nowMs - this.output.sentMs >= SERIAL_KEEP_ALIVE_MS) this.flow.tell(nowMs);
    const isGone = nowMs - this.heardMs >= SERIAL_GONE_MS;
    if (isGone || this.flow.isForsaken(nowMs)) this.fail('LINK_TIMEOUT', 'the other end is silent');
  }

  private close(nowMs: number): void {
    if (this.state === 'closing') return;
    if (this.state !== 'open') {
      this.finish(null);
      return;
    }
    this.state = 'closing';
    this.wantsDrain = false;
    this.flow.receiver.discard();
    this.closeByMs = nowMs + this.parts.pace.closeMs;
  }

  private proceedClosing(nowMs: number): void {
    if (this.closeByMs <= nowMs) {
      this.finish(null);
      return;
    }
    if (!this.flow.sender.isIdle || this.endMs > nowMs) return;
    this.flow.write({ kind: 'end' }, nowMs);
    this.endMs = nowMs + this.parts.pace.patienceMs;
  }

  private fail(code: LinkErrorCode, why: string): void {
    this.finish(new LinkError(code, `${this.parts.name}: ${why}`));
  }

  private finish(error: LinkError | null): void {
    this.state = 'closed';
    this.wantsDrain = false;
    this.actions.push({ kind: 'down', error });
  }
}
