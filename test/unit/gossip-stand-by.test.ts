import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { TcpTransport } from '../../src/gossip/links/tcp.ts';
import { UdpTransport } from '../../src/gossip/links/udp.ts';
import { Mesh } from '../../src/gossip/mesh.ts';
import { toHex32 } from '../../src/model/bytes.ts';
import { Holder } from './gossip-holder.ts';
import { hash, idOf, payloadOf } from './gossip-samples.ts';
import { factoryOf, type Member, memberOf } from './identity-session-ends.ts';
import { TIMERS } from './mqtt-stage.ts';

const GROUP = idOf('group');

let cleanUp: (() => Promise<unknown> | unknown)[] = [];

afterEach(async () => {
  for (const each of cleanUp.reverse()) await each();
  cleanUp = [];
});

/** A router between two ends of TCP that loses everything from some moment on, and says nothing. */
class Router {
  isDead = false;
  readonly port: number;

  private constructor(server: Server, farPort: number) {
    const address = server.address();
    this.port = typeof address === 'object' && address !== null ? address.port : 0;
    const sockets = new Set<Socket>();
    const join = (from: Socket, to: Socket) => {
      sockets.add(from);
      from.on('data', (bytes) => {
        if (!this.isDead) to.write(bytes);
      });
      from.on('error', () => from.destroy());
      from.on('close', () => {
        sockets.delete(from);
        if (!this.isDead) to.destroy();
      });
    };
    server.on('connection', (near) => {
      const far = connect(farPort, '127.0.0.1');
      join(near, far);
      join(far, near);
    });
    cleanUp.push(() => {
      for (const each of sockets) each.destroy();
      server.close();
    });
  }

  static async before(farPort: number): Promise<Router> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new Router(server, farPort);
  }
}

function participant(member: Member) {
  const self = toHex32(member.avatar.id);
  const holder = new Holder(self);
  const mesh = new Mesh({
    self,
    sessions: factoryOf(member),
    transports: [
      new TcpTransport({ timers: TIMERS }),
      new UdpTransport({ timers: TIMERS, bytesPerSecondMax: 4 * 1024 * 1024 }),
    ],
    timers: TIMERS,
    random: { bytes: (count) => randomBytes(count), fraction: Math.random },
    hash,
    source: holder,
    handler: holder,
    log: () => undefined,
    settings: { standByMs: 1_500, backoffMinMs: 20, backoffMaxMs: 200, settleMs: 20 },
  });
  holder.mesh = mesh;
  cleanUp.push(() => mesh.close());
  const links = () => {
    const [peer] = mesh.status().peers;
    return [peer?.kind, ...(peer?.standBy ?? []).map(({ kind }) => kind)];
  };
  return { holder, mesh, links };
}

const portOf = (url: string) => Number(/:(\d+)$/.exec(url)?.[1]);

describe('two Participants linked over TCP and UDP', () => {
  it('go on over UDP soon after TCP carries nothing any more, and no peer goes down', async () => {
    const [anna, ben] = [participant(memberOf(31)), participant(memberOf(32))];
    const tcp = await ben.mesh.listen('tcp://127.0.0.1:0');
    const udp = await ben.mesh.listen('udp://127.0.0.1:0');
    const router = await Router.before(portOf(tcp));
    anna.mesh.dial(`tcp://127.0.0.1:${router.port}`);
    anna.mesh.dial(udp);
    for (const each of [anna, ben]) await expect.poll(each.links).toEqual(['tcp', 'udp']);
    router.isDead = true;
    // Much sooner than the minute and a half that three lost pings take: or this times out.
    for (const each of [anna, ben]) await expect.poll(() => each.links()[0]).toBe('udp');
    const blocks = [anna, ben].map(({ holder }) => holder.issue(GROUP, payloadOf(3_000)));
    await expect.poll(() => anna.holder.payload(blocks[1]!.id)).not.toBe(null);
    await expect.poll(() => ben.holder.payload(blocks[0]!.id)).not.toBe(null);
    const events = [anna, ben].flatMap(({ holder }) => holder.events.map(({ kind }) => kind));
    expect(events).toEqual(['up', 'up']);
  }, 100_000);
});
