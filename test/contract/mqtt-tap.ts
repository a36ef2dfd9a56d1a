import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** Types of MQTT packets that tests name (MQTT 3.1.1, 2.2.1). */
export const PACKET_TYPES = { connect: 1, publish: 3, acknowledgement: 4 } as const;

export type Way = 'to-broker' | 'to-client';

/** A packet as it crosses the tap. */
export interface TappedPacket {
  readonly way: Way;
  readonly type: number;
  readonly bytes: Buffer;
}

/**
 * Stands before a broker at a port that stays the same: sees every packet, loses some, and can be
 * led to another broker.
 */
export class MqttTap {
  readonly port: number;
  /** Where connections go from now on; null: they are closed at once. */
  brokerPort: number | null;
  /** Is this packet to be lost? */
  loses: (packet: TappedPacket) => boolean = () => false;
  connections = 0;
  private readonly server: Server;
  private readonly sockets = new Set<Socket>();

  private constructor(server: Server, port: number, brokerPort: number) {
    this.server = server;
    this.port = port;
    this.brokerPort = brokerPort;
  }

  static async start(brokerPort: number): Promise<MqttTap> {
    const server = createServer({ noDelay: true }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const tap = new MqttTap(server, port, brokerPort);
    server.on('connection', (near) => tap.accept(near));
    return tap;
  }

  get url(): string {
    return `mqtt://127.0.0.1:${this.port}`;
  }

  /** Ends every connection, without a word. */
  cut(): void {
    for (const socket of this.sockets) socket.resetAndDestroy();
  }

  async close(): Promise<void> {
    this.cut();
    const closed = once(this.server, 'close');
    this.server.close();
    await closed;
  }

  private accept(near: Socket): void {
    this.connections += 1;
    const { brokerPort } = this;
    if (brokerPort === null) {
      near.destroy();
      return;
    }
    const far = connect({ port: brokerPort, host: '127.0.0.1', noDelay: true });
    this.forward('to-broker', near, far);
    this.forward('to-client', far, near);
  }

  private forward(way: Way, from: Socket, to: Socket): void {
    this.sockets.add(from);
    let rest: Buffer = Buffer.alloc(0);
    from.on('data', (chunk) => {
      rest = Buffer.concat([rest, chunk]);
      for (let length = packetLength(rest); length !== null; length = packetLength(rest)) {
        const bytes = rest.subarray(0, length);
        rest = rest.subarray(length);
        const packet = { way, type: bytes.readUInt8(0) >> 4, bytes };
        if (!this.loses(packet) && to.writable) to.write(bytes);
      }
    });
    from.on('error', () => from.destroy());
    from.on('close', () => {
      this.sockets.delete(from);
      to.destroy();
    });
  }
}

/** Bytes of the first packet, or null while it is not whole (MQTT 3.1.1, 2.2.3). */
function packetLength(bytes: Buffer): number | null {
  let length = 0;
  for (let index = 1; index <= 4; index++) {
    if (index >= bytes.length) return null;
    const digit = bytes.readUInt8(index);
    length += (digit & 127) * 128 ** (index - 1);
    if (digit < 128) return bytes.length >= index + 1 + length ? index + 1 + length : null;
  }
  return null;
}
