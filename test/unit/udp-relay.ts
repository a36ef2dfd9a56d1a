import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { Random } from '../../src/ports/clock.ts';

/** Stands between UDP callers and one address, and loses part of what passes, both ways. */
export class UdpRelay {
  lost = 0;
  passed = 0;
  private readonly front: Socket;
  private readonly targetPort: number;
  private readonly lossRatio: number;
  private readonly random: Random;
  /** By the caller's port: a socket of its own towards the target. */
  private readonly backs = new Map<number, Socket>();

  private constructor(front: Socket, targetPort: number, lossRatio: number, random: Random) {
    this.front = front;
    this.targetPort = targetPort;
    this.lossRatio = lossRatio;
    this.random = random;
    front.on('message', (bytes, { port }) => {
      const back = this.backs.get(port) ?? this.backFor(port);
      this.pass(() => back.send(bytes, this.targetPort, '127.0.0.1'));
    });
  }

  static async open(targetPort: number, lossRatio: number, random: Random): Promise<UdpRelay> {
    const front = createSocket('udp4').bind(0, '127.0.0.1');
    await once(front, 'listening');
    return new UdpRelay(front, targetPort, lossRatio, random);
  }

  get url(): string {
    return `udp://127.0.0.1:${this.front.address().port}`;
  }

  close(): void {
    this.front.close();
    for (const back of this.backs.values()) back.close();
  }

  private backFor(port: number): Socket {
    const back = createSocket('udp4');
    back.on('message', (bytes) => this.pass(() => this.front.send(bytes, port, '127.0.0.1')));
    this.backs.set(port, back);
    return back;
  }

  private pass(send: () => void): void {
    if (this.random.fraction() < this.lossRatio) this.lost += 1;
    else {
      this.passed += 1;
      send();
    }
  }
}
