import { SerialLine } from '../../src/gossip/links/serial-line.ts';
import { serialPaceOf } from '../../src/gossip/links/serial-pace.ts';
import type { SerialAction, SerialEvent } from '../../src/gossip/links/serial-step.ts';
import { loadKernel } from '../../src/kernel/kernel.ts';
import type { LinkError } from '../../src/ports/link.ts';
import { SeededRandom } from './gossip-stage.ts';

const { checksum } = loadKernel();

/** What becomes of what a port is given: anything, even nothing. */
export type Damage = (bytes: Uint8Array) => Uint8Array;

export interface WireOptions {
  readonly baud: number;
  /** The rate that the wire really has, where it is another one. */
  readonly realBaud?: number;
  /** From the last bit leaving to its arrival. */
  readonly latencyMs?: number;
  readonly seed?: number;
}

/** One end of a line in virtual time. */
export class WireEnd {
  line: SerialLine;
  readonly frames: Uint8Array[] = [];
  readonly downs: (LinkError | null)[] = [];
  readonly arrivedMs: number[] = [];
  ups = 0;
  begins: boolean | null = null;
  noises = 0;
  drains = 0;
  /** Fetches nothing. */
  isPaused = false;
  /** All bytes that its port was given. */
  writtenBytes = 0;
  onDrain: () => void = () => undefined;
  /** Done to every write of this end. */
  damage: Damage = (bytes) => bytes;
  /** When its wire is free. */
  freeMs = 0;

  constructor(line: SerialLine) {
    this.line = line;
  }
}

/** Two lines and the wire between them, in virtual time: hours take a moment. */
export class SerialWire {
  nowMs = 0;
  readonly near: WireEnd;
  readonly far: WireEnd;
  readonly random: SeededRandom;
  private readonly options: WireOptions;
  private readonly arrivals: { readonly atMs: number; readonly to: WireEnd; bytes: Uint8Array }[] =
    [];

  constructor(options: WireOptions) {
    this.options = options;
    this.random = new SeededRandom(options.seed ?? 1);
    this.near = new WireEnd(this.makeLine('near'));
    this.far = new WireEnd(this.makeLine('far'));
  }

  /** The process at this end starts again. */
  restart(end: WireEnd): void {
    end.line = this.makeLine(end === this.near ? 'near' : 'far');
  }

  step(end: WireEnd, event: SerialEvent): void {
    for (const action of end.line.step(event, this.nowMs)) this.act(end, action);
  }

  /** @returns false when full. */
  send(end: WireEnd, frame: Uint8Array): boolean {
    this.step(end, { kind: 'send', frame });
    return !end.line.isFull(this.nowMs);
  }

  resume(end: WireEnd): void {
    end.isPaused = false;
    this.fetch(end);
  }

  /** Lets time go on until something holds, or for so long. @returns whether it holds. */
  run(forMs: number, holds: () => boolean = () => false): boolean {
    const endMs = this.nowMs + forMs;
    for (const end of [this.near, this.far]) this.step(end, { kind: 'tick' });
    while (!holds()) {
      const next = this.nextMs();
      if (next === null || next > endMs) {
        this.nowMs = endMs;
        return holds();
      }
      this.nowMs = Math.max(this.nowMs, next);
      this.arrive();
      for (const end of [this.near, this.far]) {
        this.step(end, { kind: 'tick' });
        this.fetch(end);
      }
    }
    return true;
  }

  private makeLine(name: string): SerialLine {
    const pace = serialPaceOf(this.options.baud);
    const number = 1 + Math.floor(this.random.fraction() * 0xfffffffe);
    return new SerialLine({ pace, checksum, number, name });
  }

  private nextMs(): number | null {
    const times = [this.near, this.far].map((end) => end.line.wakeMs);
    times.push(this.arrivals[0]?.atMs ?? null);
    const known = times.filter((time): time is number => time !== null);
    return known.length === 0 ? null : Math.min(...known);
  }

  private arrive(): void {
    for (let first = this.arrivals[0]; first !== undefined; first = this.arrivals[0]) {
      if (first.atMs > this.nowMs) return;
      this.arrivals.shift();
      this.step(first.to, { kind: 'heard', bytes: first.bytes });
    }
  }

  private fetch(end: WireEnd): void {
    let before = -1;
    while (!end.isPaused && before !== end.frames.length) {
      before = end.frames.length;
      this.step(end, { kind: 'fetch' });
    }
  }

  private act(end: WireEnd, action: SerialAction): void {
    switch (action.kind) {
      case 'write':
        this.carry(end, action.bytes);
        return;
      case 'up':
        end.ups += 1;
        end.begins = action.begins;
        return;
      case 'frame':
        end.frames.push(action.frame);
        end.arrivedMs.push(this.nowMs);
        return;
      case 'drain':
        end.drains += 1;
        end.onDrain();
        return;
      case 'noise':
        end.noises += 1;
        return;
      case 'down':
        end.downs.push(action.error);
        return;
      default:
        action satisfies never;
    }
  }

  private carry(end: WireEnd, bytes: Uint8Array): void {
    end.writtenBytes += bytes.length;
    this.step(end, { kind: 'written', count: bytes.length });
    const msPerByte = 10_000 / (this.options.realBaud ?? this.options.baud);
    end.freeMs = Math.max(this.nowMs, end.freeMs) + bytes.length * msPerByte;
    const to = end === this.near ? this.far : this.near;
    const atMs = end.freeMs + (this.options.latencyMs ?? 0);
    const arrival = { atMs, to, bytes: end.damage(bytes) };
    const later = this.arrivals.findIndex((each) => each.atMs > atMs);
    this.arrivals.splice(later < 0 ? this.arrivals.length : later, 0, arrival);
  }
}
