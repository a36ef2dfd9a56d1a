import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { TcpTransport } from '../../src/gossip/links/tcp.ts';
import { Mesh } from '../../src/gossip/mesh.ts';
import type { GossipSettings } from '../../src/gossip/settings.ts';
import { deriveAvatar } from '../../src/identity/avatar.ts';
import { deriveWorld } from '../../src/identity/world.ts';
import { toHex32 } from '../../src/model/bytes.ts';
import type { Timers } from '../../src/ports/clock.ts';
import { Holder } from './gossip-holder.ts';
import { hash, idOf, payloadOf } from './gossip-samples.ts';
import { SeededRandom } from './gossip-stage.ts';
import { A, B, factoryOf, filled, type Member, memberOf } from './identity-session-ends.ts';

const GROUP = idOf('group');

const seeds = (function* () {
  for (let seed = 1; ; seed++) yield seed;
})();

const TIMERS: Timers = {
  monotonicMs: () => performance.now(),
  wallMs: () => Date.now(),
  after: (delayMs, wake) => {
    const timer = setTimeout(wake, delayMs);
    return () => clearTimeout(timer);
  },
};

interface Node {
  readonly holder: Holder;
  readonly mesh: Mesh;
  readonly url: string;
  readonly port: number;
  readonly lines: { level: string; event: string; fields: Record<string, unknown> }[];
  /** Resolves when `holds`, looked at after everything that this node hears or logs. */
  until(holds: () => boolean): Promise<void>;
}

const open: { close(): Promise<void> | void }[] = [];

afterEach(async () => {
  for (const each of open.splice(0)) await each.close();
});

async function start(member: Member, settings: Partial<GossipSettings> = {}): Promise<Node> {
  const self = toHex32(member.avatar.id);
  const holder = new Holder(self);
  const lines: Node['lines'] = [];
  let waiting: { holds: () => boolean; done: () => void }[] = [];
  const look = (): void => {
    const ready = waiting.filter((each) => each.holds());
    waiting = waiting.filter((each) => !ready.includes(each));
    for (const each of ready) each.done();
  };
  const mesh = new Mesh({
    self,
    sessions: factoryOf(member),
    transports: [new TcpTransport({ timers: TIMERS })],
    timers: TIMERS,
    random: new SeededRandom(seeds.next().value),
    hash,
    source: holder,
    handler: {
      onItems: (deliveries) => {
        holder.onItems(deliveries);
        look();
      },
      onBallots: (from, ballots) => holder.onBallots(from, ballots),
      onPeer: (event) => {
        holder.onPeer(event);
        look();
      },
    },
    log: (level, event, fields) => {
      lines.push({ level, event, fields });
      look();
    },
    settings,
  });
  holder.mesh = mesh;
  open.push(mesh);
  const url = await mesh.listen('tcp://127.0.0.1:0');
  const until = (holds: () => boolean): Promise<void> =>
    holds() ? Promise.resolve() : new Promise((done) => waiting.push({ holds, done }));
  return { holder, mesh, url, port: Number(new URL(url).port), lines, until };
}

/** A bare socket to a node, its end awaited. */
async function stranger(
  node: Node,
  localAddress = '127.0.0.1',
): Promise<{ socket: Socket; ended: Promise<unknown> }> {
  const socket = connect({ port: node.port, host: '127.0.0.1', localAddress });
  open.push({ close: () => void socket.destroy() });
  socket.on('error', () => socket.destroy());
  // Not `once`, which an error would reject: a reset ends the socket as well as anything.
  const ended = new Promise((done) => socket.on('close', done));
  socket.resume();
  await once(socket, 'connect');
  return { socket, ended };
}

function framed(bytes: Uint8Array): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

const reasonsOf = (node: Node) => node.lines.map((each) => each.fields['reason']);

/** A friend gets in and is served, whatever was tried before. */
async function expectHealthy(node: Node): Promise<void> {
  const friend = await start(memberOf(99));
  const block = node.holder.issue(GROUP, payloadOf(200_000));
  friend.mesh.dial(node.url);
  await friend.until(() => friend.holder.payload(block.id) !== null);
}

describe('Participants of one World over TCP', () => {
  it('link, spread what is new and catch up on what was before', async () => {
    const [a, b] = [await start(A), await start(B)];
    for (let count = 0; count < 100; count++) a.holder.issue(GROUP, payloadOf(50_000));
    b.mesh.dial(a.url);
    await b.until(() => b.holder.sequenceOf(GROUP, a.holder.self) === 100);
    const block = b.holder.issue(GROUP, payloadOf(3_000_000));
    await a.until(() => a.holder.payload(block.id) !== null);
    expect(a.mesh.status().peers[0]).toMatchObject({ kind: 'tcp', initiator: false });
    expect(b.mesh.status().dialling[0]).toMatchObject({ state: 'linked', peer: a.holder.self });
    expect([...a.lines, ...b.lines]).toEqual([]);
  });

  it('know a peer that is killed at once, and take it back', async () => {
    const a = await start(A);
    const b = await start(B);
    a.mesh.dial(b.url);
    await a.until(() => a.mesh.status().peers.length === 1);
    await b.mesh.close();
    await a.until(() => a.mesh.status().peers.length === 0);
    const again = await start(B);
    again.mesh.dial(a.url);
    await a.until(() => a.mesh.status().peers.length === 1);
    const block = a.holder.issue(GROUP);
    await again.until(() => again.holder.payload(block.id) !== null);
  });

  it('report a cloned key at both ends', async () => {
    const [a, clone] = [await start(A), await start(A)];
    clone.mesh.dial(a.url);
    for (const each of [a, clone]) {
      await each.until(() => each.holder.events.length > 0);
      expect(each.holder.events[0]).toMatchObject({ kind: 'own-avatar-seen', self: false });
    }
  });
});

describe('a listener', () => {
  it('lets nobody in who has another World identifier', async () => {
    const a = await start(A);
    const world = filled(77);
    const other = await start({
      avatar: deriveAvatar(filled(20), world),
      world: deriveWorld(world),
    });
    other.mesh.dial(a.url);
    await a.until(() => a.lines.length > 0);
    await other.until(() => other.lines.length > 0);
    expect(a.lines[0]).toMatchObject({ level: 'warn', event: 'handshake-refused' });
    expect(reasonsOf(a)).toEqual(['handshake-stranger']);
    expect([a, other].map((each) => each.mesh.status().peers)).toEqual([[], []]);
    await expectHealthy(a);
  });

  it.each([
    ['garbage of a declared length', framed(new Uint8Array(48).fill(3)), /^handshake-/],
    ['an empty frame', framed(new Uint8Array(0)), /^handshake-truncated$/],
    ['a length above the limit', Buffer.from([0, 1, 0, 0, 1]), /^LINK_FRAME_TOO_LONG$/],
    ['a request of a browser', Buffer.from('GET / HTTP/1.1\r\n\r\n'), /^LINK_FRAME_TOO_LONG$/],
    ['the longest frame', framed(new Uint8Array(65_535)), /^handshake-too-long$/],
  ])('ends a link at once that brings %s, with one line', async (_name, bytes, reason) => {
    const a = await start(A);
    const { socket, ended } = await stranger(a);
    socket.write(bytes);
    await ended;
    await a.until(() => a.lines.length > 0);
    expect(a.lines.length).toBe(1);
    expect(reasonsOf(a)[0]).toMatch(reason);
    await expectHealthy(a);
  });

  it('notes a scanner that comes and goes', async () => {
    const a = await start(A);
    const { socket } = await stranger(a);
    socket.end();
    await a.until(() => a.lines.length > 0);
    expect(a.lines).toMatchObject([
      { level: 'info', event: 'handshake-refused', fields: { reason: 'closed-by-peer' } },
    ]);
    await expectHealthy(a);
  });

  it('does not wait for one that sends a byte now and then', async () => {
    const a = await start(A, { handshakeMs: 300 });
    const { socket, ended } = await stranger(a);
    socket.write(Buffer.of(0, 0, 0, 48));
    const drip = setInterval(() => socket.write(Buffer.of(7)), 20);
    await ended;
    clearInterval(drip);
    await a.until(() => a.lines.length > 0);
    expect(reasonsOf(a)).toEqual(['handshake-timeout']);
    await expectHealthy(a);
  });

  it('answers a recorded handshake with silence', async () => {
    const a = await start(A);
    const recorded = await recordHandshake(a);
    const { socket, ended } = await stranger(a);
    for (const bytes of recorded) socket.write(bytes);
    const answer: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => answer.push(chunk));
    await ended;
    expect(answer).toEqual([]);
    await a.until(() => a.lines.length > 0);
    expect(reasonsOf(a)).toEqual(['handshake-replayed']);
    await expectHealthy(a);
  });

  it('holds through a storm of strangers, and says it in few lines', async () => {
    const a = await start(A, { strangersMax: 8 });
    const storm = await Promise.all(
      Array.from({ length: 60 }, async () => {
        const { socket, ended } = await stranger(a);
        socket.write(framed(new Uint8Array(100)));
        return ended;
      }),
    );
    expect(storm.length).toBe(60);
    expect(a.lines.length).toBeLessThanOrEqual(21);
    await expectHealthy(a);
  });
});

describe('strangers from one host', () => {
  it('do not push out one from another, however slow it is', async () => {
    const a = await start(A, { strangersMax: 8 });
    const slow = await stranger(a, '127.0.0.2');
    const storm = [];
    for (let count = 0; count < 20; count++) storm.push(await stranger(a));
    await Promise.all(storm.slice(0, 12).map(({ ended }) => ended));
    expect(slow.socket.closed).toBe(false);
    expect(a.mesh.status().strangers).toBe(8);
  });
});

/** What a true friend sent to a node until it was linked, as a wire tap sees it. */
async function recordHandshake(node: Node): Promise<Buffer[]> {
  const recorded: Buffer[] = [];
  const tap = createServer((near) => {
    const far = connect(node.port, '127.0.0.1');
    near.on('data', (chunk: Buffer) => {
      recorded.push(Buffer.from(chunk));
      far.write(chunk);
    });
    far.on('data', (chunk: Buffer) => near.write(chunk));
    near.on('close', () => far.destroy());
    far.on('close', () => near.destroy());
  }).listen(0, '127.0.0.1');
  await once(tap, 'listening');
  open.push({ close: () => void tap.close() });
  const address = tap.address();
  const friend = await start(B);
  friend.mesh.dial(`tcp://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`);
  await node.until(() => node.mesh.status().peers.length === 1);
  await friend.mesh.close();
  await node.until(() => node.mesh.status().peers.length === 0);
  return recorded;
}
