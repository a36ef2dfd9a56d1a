import type { Hall } from '../../ports/link.ts';
import { NOTE_BYTES } from './mqtt-note.ts';
import { FRAME_BYTES_MAX } from './mqtt-packet.ts';
import { SEAL_HEAD_BYTES, SEAL_TAG_BYTES } from './mqtt-seal.ts';

/** Notes share the topic, and are told from frames by their length: frames are longer. */
const SEALED_NOTE_BYTES = SEAL_HEAD_BYTES + NOTE_BYTES + SEAL_TAG_BYTES;

export interface MqttHallParts {
  /** Others of the World that are at the broker. */
  readonly othersCount: () => number;
  /** To the topic that all of the World read. */
  readonly publish: (bytes: Uint8Array) => void;
}

/** The topic of a World at one broker, as a place to say something to all others at once. */
export class MqttHall implements Hall {
  readonly kind = 'mqtt';
  readonly frameBytesMax = FRAME_BYTES_MAX;
  private readonly parts: MqttHallParts;
  private onFrame: (frame: Uint8Array) => void = () => undefined;

  constructor(parts: MqttHallParts) {
    this.parts = parts;
  }

  get othersCount(): number {
    return this.parts.othersCount();
  }

  publish(frame: Uint8Array): void {
    this.parts.publish(frame);
  }

  handle(onFrame: (frame: Uint8Array) => void): void {
    this.onFrame = onFrame;
  }

  /** @returns false for what is no frame. */
  receive(bytes: Uint8Array): boolean {
    if (bytes.length <= SEALED_NOTE_BYTES) return false;
    this.onFrame(bytes);
    return true;
  }
}
