import type { ByteStream, ByteStreamHandler } from '../../src/ports/byte-stream.ts';
import type { Timers } from '../../src/ports/clock.ts';

/** As a RoboClaw does with half a packet. */
const GAP_MS = 10;

/** Reads packets at the head of `bytes`. @returns how many bytes to drop, and what it said. */
type Reader = (bytes: readonly number[]) => { taken: number; packet: readonly number[] | null };

function crcOf(bytes: readonly number[]): number {
  let crc = 0;
  for (const byte of bytes) {
    for (let bit = 7; bit >= 0; bit--) {
      const isOdd = ((crc >> 15) ^ (byte >> bit)) & 1;
      crc = ((crc << 1) & 0xffff) ^ (isOdd === 1 ? 0x1021 : 0);
    }
  }
  return crc;
}

const readSabertooth: Reader = (bytes) => {
  const start = bytes.indexOf(128);
  if (start !== 0) return { taken: start < 0 ? bytes.length : start, packet: null };
  const again = bytes.slice(1, 4).findIndex((byte) => byte >= 128);
  if (again >= 0) return { taken: again + 1, packet: null };
  if (bytes.length < 4) return { taken: 0, packet: null };
  const packet = bytes.slice(0, 4);
  const sum = (packet[0]! + packet[1]! + packet[2]!) & 0x7f;
  return { taken: 4, packet: sum === packet[3] ? packet : null };
};

const ROBOCLAW_LENGTHS = new Map([
  [14, 5],
  [34, 8],
]);

const readRoboclaw: Reader = (bytes) => {
  if (bytes[0] !== 0x80) return { taken: 1, packet: null };
  if (bytes.length < 2) return { taken: 0, packet: null };
  const length = ROBOCLAW_LENGTHS.get(bytes[1]!);
  if (length === undefined) return { taken: bytes.length, packet: null };
  if (bytes.length < length) return { taken: 0, packet: null };
  const packet = bytes.slice(0, length);
  const crc = (packet[length - 2]! << 8) | packet[length - 1]!;
  return { taken: length, packet: crcOf(packet.slice(0, -2)) === crc ? packet : null };
};

/** A motor controller as its manual describes it: stops its motors when it hears nothing. */
export class SimulatedController {
  left = 0;
  right = 0;
  /** 0: it was not told yet, and would go on for ever. */
  timeoutMs = 0;
  timeouts = 0;
  packets = 0;
  onAnswer: (bytes: Uint8Array) => void = () => undefined;
  readonly #kind: 'sabertooth' | 'roboclaw';
  readonly #timers: Timers;
  #bytes: number[] = [];
  #heardAtMs = 0;
  #cancel: (() => void) | null = null;

  constructor(kind: 'sabertooth' | 'roboclaw', timers: Timers) {
    this.#kind = kind;
    this.#timers = timers;
  }

  receive(bytes: Iterable<number>): void {
    const nowMs = this.#timers.monotonicMs();
    if (this.#kind === 'roboclaw' && nowMs - this.#heardAtMs > GAP_MS) this.#bytes = [];
    this.#heardAtMs = nowMs;
    this.#bytes.push(...bytes);
    const read = this.#kind === 'sabertooth' ? readSabertooth : readRoboclaw;
    while (this.#bytes.length > 0) {
      const { taken, packet } = read(this.#bytes);
      if (taken === 0) return;
      this.#bytes.splice(0, taken);
      if (packet !== null) this.#take(packet);
    }
  }

  #take(packet: readonly number[]): void {
    this.packets += 1;
    if (this.#kind === 'sabertooth') this.#takeSabertooth(packet);
    else this.#takeRoboclaw(packet);
    this.#cancel?.();
    if (this.timeoutMs === 0) return;
    this.#cancel = this.#timers.after(this.timeoutMs, () => {
      if (this.left !== 0 || this.right !== 0) this.timeouts += 1;
      this.left = 0;
      this.right = 0;
    });
  }

  #takeSabertooth([, command, data = 0]: readonly number[]): void {
    if (command === 14) this.timeoutMs = data * 100;
    if (command === 0) this.left = data / 127;
    if (command === 1) this.left = -data / 127;
    if (command === 4) this.right = data / 127;
    if (command === 5) this.right = -data / 127;
  }

  #takeRoboclaw([, command, ...data]: readonly number[]): void {
    if (command === 14) this.timeoutMs = data[0]! * 100;
    const signed = (at: number): number =>
      ((((data[at]! << 8) | data[at + 1]!) << 16) >> 16) / 32767;
    if (command === 34) {
      this.left = signed(0);
      this.right = signed(2);
    }
    this.onAnswer(Uint8Array.of(0xff));
  }

  end(): void {
    this.#cancel?.();
  }
}

/** A cable in memory: may lose bytes, be cut, be full, and bring answers late. */
export class SimulatedCable implements ByteStream {
  readonly name = 'a cable';
  queuedBytes = 0;
  answerDelayMs = 0;
  isCut = false;
  /** Asked of each byte towards the controller. */
  loses: () => boolean = () => false;
  readonly written: Uint8Array[] = [];
  readonly #controller: SimulatedController;
  #handler: ByteStreamHandler | null = null;

  constructor(controller: SimulatedController, timers: Timers) {
    this.#controller = controller;
    controller.onAnswer = (bytes) => {
      timers.after(this.answerDelayMs, () => {
        if (!this.isCut) this.#handler?.onBytes(bytes);
      });
    };
  }

  write(bytes: Uint8Array): void {
    this.written.push(bytes);
    if (!this.isCut) this.#controller.receive([...bytes].filter(() => !this.loses()));
  }

  handle(handler: ByteStreamHandler): void {
    this.#handler = handler;
  }

  /** Somebody pulls the plug, and the driver hears of it. */
  unplug(): void {
    this.isCut = true;
    this.#handler?.onClose(new Error('unplugged'));
  }

  async close(): Promise<void> {
    this.#handler?.onClose(null);
  }
}
