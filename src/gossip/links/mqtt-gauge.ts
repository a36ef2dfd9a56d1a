/**
 * Longest packet that is taken from a broker. Ours are shorter than 70,000 bytes; what strangers
 * publish may be longer, and is waited for, up to this.
 */
export const PACKET_BYTES_MAX = 1024 * 1024;

/** Bytes of a length at most (MQTT 3.1.1, 2.2.3). */
const LENGTH_BYTES_MAX = 4;

const TYPE_PUBLISH = 3;

/**
 * Reads along what a broker sends, and tells of a packet that is too long before it has come: the
 * client would wait for a quarter of a gigabyte. Also of messages of QoS 2, which nobody
 * subscribed to, and which the client would keep.
 */
export class MqttGauge {
  private readonly onBreach: (why: string) => void;
  private state: 'type' | 'length' | 'content' | 'broken' = 'type';
  private length = 0;
  private lengthBytes = 0;

  constructor(onBreach: (why: string) => void) {
    this.onBreach = onBreach;
  }

  read(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length; ) {
      if (this.state === 'broken') return;
      if (this.state === 'content') {
        const used = Math.min(this.length, chunk.length - at);
        this.length -= used;
        at += used;
        if (this.length === 0) this.state = 'type';
      } else {
        this.readHead(chunk[at]!);
        at += 1;
      }
    }
  }

  private readHead(byte: number): void {
    if (this.state === 'type') {
      if (byte >> 4 === TYPE_PUBLISH && ((byte >> 1) & 3) > 1) {
        this.breach('a message of QoS 2, which nobody asked for');
        return;
      }
      this.state = 'length';
      this.length = 0;
      this.lengthBytes = 0;
      return;
    }
    this.length += (byte & 127) * 128 ** this.lengthBytes;
    this.lengthBytes += 1;
    if (this.length > PACKET_BYTES_MAX) this.breach(`a packet of ${this.length} bytes or more`);
    else if (byte < 128) this.state = this.length === 0 ? 'type' : 'content';
    else if (this.lengthBytes === LENGTH_BYTES_MAX) this.breach('a length without an end');
  }

  private breach(why: string): void {
    this.state = 'broken';
    this.onBreach(why);
  }
}
