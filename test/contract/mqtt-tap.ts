import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** Types of MQTT packets that tests name (MQTT 3.1.1, 2.2.1). */
export const PACKET_TYPES = { publish: 3, acknowledgement: 4 } as const;

export type Way = 'to-broker' | 'to-client';

/** A packet as it crosses the tap. */
export interface TappedPacket {
  /** Connections are counted from 1. */
  readonly connection: number;
  readonly way: Way;
  readonly type: number;
  readonly bytes: Buffer;
}

/**
 * Stands before a broker at a port that stays the same: sees every packet, loses or doubles some,
 * and can be led to another broker.
 */
export class MqttTap {
  readonly port: number;
  /** Where connections go from now on; null: they are closed at once. */
  brokerPort: number | null;
  /** How often this packet arrives: 0 if it gets lost. */
  copies: (packet: TappedPacket) => number = () => 1;
  /** Connections that clients made so far. */
  connections = 0;
  private readonly server: Server;
  private readonly sockets = new Set<Socket>();
  private readonly clients = new Set<Socket>();
  /** Where bytes of a connection go, by its number and the way. */
  private readonly sinks = new Map<string, Socket>();

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

  /** Connections that are open now. */
  get open(): number {
    return this.clients.size;
  }

  /** Sends bytes as if the other end had: nothing where the connection is gone. */
  inject(at: Pick<TappedPacket, 'way' | 'connection'>, bytes: Uint8Array): void {
    const sink = this.sinks.get(`${at.connection} ${at.way}`);
    if (sink?.writable) sink.write(bytes);
  }

  /** Ends every connection, without a word. */
  cut(): void {
    for (const socket of this.sockets) socket.resetAndDestroy();
  }

  /**
   * Ends every connection at the clients alone: the broker takes them for alive, as after a router
   * lost its memory.
   */
  cutClients(): void {
    for (const near of this.clients) {
      near.removeAllListeners('close');
      near.resetAndDestroy();
    }
    this.clients.clear();
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
    this.clients.add(near);
    const connection = this.connections;
    this.forward({ way: 'to-broker', connection }, near, far);
    this.forward({ way: 'to-client', connection }, far, near);
  }

  private forward(at: Pick<TappedPacket, 'way' | 'connection'>, from: Socket, to: Socket): void {
    this.sockets.add(from);
    this.sinks.set(`${at.connection} ${at.way}`, to);
    let rest: Buffer = Buffer.alloc(0);
    from.on('data', (chunk) => {
      rest = Buffer.concat([rest, chunk]);
      for (let length = packetLength(rest); length !== null; length = packetLength(rest)) {
        const bytes = rest.subarray(0, length);
        rest = rest.subarray(length);
        const packet = { ...at, type: bytes.readUInt8(0) >> 4, bytes };
        for (let left = this.copies(packet); left > 0 && to.writable; left--) to.write(bytes);
      }
    });
    from.on('error', () => from.destroy());
    from.on('close', () => {
      this.sockets.delete(from);
      this.sinks.delete(`${at.connection} ${at.way}`);
      this.clients.delete(from);
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

/** The identifier of a PUBLISH of QoS 1, or of its acknowledgement (MQTT 3.1.1, 2.3.1). */
export function identifierOf(bytes: Buffer): number {
  let at = 1;
  while (bytes.readUInt8(at) >= 128) at += 1;
  const isPublish = bytes.readUInt8(0) >> 4 === PACKET_TYPES.publish;
  return bytes.readUInt16BE(at + 1 + (isPublish ? 2 + bytes.readUInt16BE(at + 1) : 0));
}

/** Topic and payload of a PUBLISH of QoS 1 (MQTT 3.1.1, 3.3). */
export function publishOf(bytes: Buffer): { topic: string; payload: Buffer } {
  let at = 1;
  while (bytes.readUInt8(at) >= 128) at += 1;
  const start = at + 3;
  const end = start + bytes.readUInt16BE(at + 1);
  return { topic: bytes.toString('utf8', start, end), payload: bytes.subarray(end + 2) };
}
