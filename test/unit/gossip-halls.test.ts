import { describe, expect, it } from 'vitest';
import { HALL_FRAME_BYTES, HallOpener, HallSeal } from '../../src/gossip/hall-seal.ts';
import { HALL_WINDOW_FRAMES } from '../../src/gossip/halls.ts';
import type { GossipSettings } from '../../src/gossip/settings.ts';
import type { GroupId } from '../../src/model/sync-group.ts';
import type { Hall, Link, Listening, Transport } from '../../src/ports/link.ts';
import { House, isLinked, type Resident } from './gossip-house.ts';
import { idOf, payloadOf } from './gossip-samples.ts';

const GROUP: GroupId = idOf('group');
const LARGEST = 60_000;

const messages = [Uint8Array.of(1, 2, 3), new Uint8Array(0), new Uint8Array(1_000).fill(7)];

/** One end of a hall in memory. */
class MemoryHall implements Hall {
  readonly kind = 'mqtt';
  readonly frameBytesMax = 65_535;
  private readonly lobby: Lobby;
  onFrame: (frame: Uint8Array) => void = () => undefined;

  constructor(lobby: Lobby) {
    this.lobby = lobby;
  }

  get othersCount(): number {
    return this.lobby.ends.length - 1;
  }

  publish(frame: Uint8Array): void {
    this.lobby.publish(frame);
  }

  handle(onFrame: (frame: Uint8Array) => void): void {
    this.onFrame = onFrame;
  }
}

/** What a broker does with a topic that all read. */
class Lobby {
  readonly ends: MemoryHall[] = [];
  readonly frames: Uint8Array[] = [];
  /** How often a frame reaches an end. */
  copies: (end: number, frame: Uint8Array) => number = () => 1;
  private readonly house: House;

  constructor(house: House) {
    this.house = house;
  }

  publish(frame: Uint8Array): void {
    this.frames.push(frame);
    for (const [index, end] of this.ends.entries()) {
      for (let left = this.copies(index, frame); left > 0; left--) {
        this.house.stage.defer(() => end.onFrame(Uint8Array.from(frame)));
      }
    }
  }
}

/** Links in memory as if they went over one broker. */
class Halled implements Transport {
  readonly kind = 'mqtt';
  readonly schemes = ['mqtt'];
  private readonly under: Transport;
  private readonly hall: Hall;

  constructor(under: Transport, hall: Hall) {
    this.under = under;
    this.hall = hall;
  }

  async dial(url: string, signal: AbortSignal): Promise<Link> {
    return this.made(await this.under.dial(url.replace('mqtt:', 'memory:'), signal));
  }

  listen(url: string, onLink: (link: Link) => void): Promise<Listening> {
    const below = url.replace('mqtt:', 'memory:');
    return this.under.listen(below, (link) => onLink(this.made(link)));
  }

  private made(link: Link): Link {
    const { hall } = this;
    return new Proxy(link, {
      get: (target, name) => {
        if (name === 'hall') return hall;
        if (name === 'kind') return 'mqtt';
        const value: unknown = Reflect.get(target, name);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
  }
}

const YES = { mqttBroadcast: 'yes' } as const;

/** So many at one broker, each linked to each other. */
async function atBroker(names: readonly string[], settings: Partial<GossipSettings> = YES) {
  const house = new House();
  const lobby = new Lobby(house);
  const residents: Resident[] = [];
  for (const name of names) {
    const hall = new MemoryHall(lobby);
    lobby.ends.push(hall);
    const transports = [new Halled(house.network, hall)];
    const resident = await house.add(name, settings, { transports });
    await resident.mesh.listen(`mqtt:${name}-inbox`);
    for (const before of residents) resident.mesh.dial(`mqtt:${before.name}-inbox`);
    residents.push(resident);
  }
  const all = () => residents.every((a) => residents.every((b) => a === b || isLinked(a, b)));
  await house.stage.until(all);
  await house.stage.settle();
  const sent = (resident: Resident) =>
    resident.mesh
      .status()
      .peers.reduce((sum, { counters }) => sum + (counters.messagesSent['item-block'] ?? 0), 0);
  return { house, lobby, residents, sent };
}

describe('a frame for all in a hall', () => {
  it('opens once, with the keys it was sealed with, in any order', () => {
    const seal = new HallSeal();
    const opener = new HallOpener(seal.keys, 0);
    const frames = [seal.seal(messages), seal.seal([]), seal.seal(messages)];
    expect(opener.open(frames[2]!)).toEqual(messages);
    expect(opener.open(frames[0]!)).toEqual(messages);
    expect(opener.open(frames[0]!)).toBe(null);
    expect(opener.open(frames[1]!)).toEqual([]);
    expect(frames[1]!.length).toBe(HALL_FRAME_BYTES);
    expect(opener.next).toBe(3);
  });

  it('does not open with anything changed, nor from before the keys were given', () => {
    const seal = new HallSeal();
    const old = seal.seal(messages);
    const opener = new HallOpener(seal.keys, seal.counter);
    expect(opener.open(old)).toBe(null);
    const frame = seal.seal([Uint8Array.of(1)]);
    for (let at = 0; at < frame.length; at++) {
      if (at < 8) continue; // Whose keys: looked up before.
      const changed = Uint8Array.from(frame);
      changed[at]! ^= 1;
      expect(opener.open(changed), `${at}`).toBe(null);
      expect(opener.open(frame.subarray(0, at))).toBe(null);
    }
    expect(opener.open(frame)).toEqual([Uint8Array.of(1)]);
  });

  it('is of nobody who has the key, and not what it is signed with', () => {
    const [seal, other] = [new HallSeal(), new HallSeal()];
    const opener = new HallOpener({ key: other.keys.key, verifier: seal.keys.verifier }, 0);
    expect(opener.open(other.seal(messages))).toBe(null);
  });
});

describe('Participants at one broker', () => {
  it('say what all should have once, and nothing of it to each', async () => {
    const { house, lobby, residents, sent } = await atBroker(['a', 'b', 'c', 'd']);
    const [a] = residents as [Resident];
    for (let n = 0; n < 20; n++) {
      a.holder.issue(GROUP, payloadOf(500, n));
      await house.stage.settle();
    }
    for (const { holder } of residents) expect(holder.sequenceOf(GROUP, a.id)).toBe(20);
    expect(lobby.frames.length).toBe(20);
    expect(residents.map(sent)).toEqual([0, 0, 0, 0]);
    // Nobody said it again to others.
    await house.stage.advance(1_000);
    expect(lobby.frames.length).toBe(20);
    const counts = residents.slice(1).flatMap(({ holder }) => [...holder.delivered.values()]);
    expect(Math.max(...counts)).toBe(1);
  });

  it('say it to each where that is not wanted, or two are alone, or it is long', async () => {
    const plain = await atBroker(['a', 'b', 'c'], {});
    plain.residents[0]!.holder.issue(GROUP, payloadOf(500));
    await plain.house.stage.settle();
    expect([plain.lobby.frames.length, plain.sent(plain.residents[0]!)]).toEqual([0, 2]);
    const two = await atBroker(['a', 'b']);
    two.residents[0]!.holder.issue(GROUP, payloadOf(500));
    await two.house.stage.settle();
    expect([two.lobby.frames.length, two.sent(two.residents[0]!)]).toEqual([0, 1]);
    const three = await atBroker(['a', 'b', 'c']);
    three.residents[0]!.holder.issue(GROUP, payloadOf(LARGEST));
    three.residents[0]!.holder.issue(GROUP, payloadOf(70_000));
    await three.house.stage.settle();
    expect([three.lobby.frames.length, three.sent(three.residents[0]!)]).toEqual([1, 2]);
    for (const { holder } of three.residents) {
      expect(holder.sequenceOf(GROUP, three.residents[0]!.id)).toBe(2);
    }
  });

  it('say it to each while somebody is there who does not listen', async () => {
    const { house, lobby, residents, sent } = await atBroker(['a', 'b', 'c']);
    const [a] = residents as [Resident];
    lobby.ends.push(new MemoryHall(lobby));
    a.holder.issue(GROUP, payloadOf(500, 1));
    await house.stage.settle();
    expect([lobby.frames.length, sent(a)]).toEqual([0, 2]);
    lobby.ends.pop();
    a.holder.issue(GROUP, payloadOf(500, 2));
    await house.stage.settle();
    expect([lobby.frames.length, sent(a)]).toEqual([1, 2]);
  });

  it('take keys of any bytes, which open nothing', async () => {
    const { house, lobby, residents } = await atBroker(['a', 'b', 'c']);
    const [a] = residents as [Resident];
    const sender = new Uint8Array(8).fill(9);
    for (let byte = 0; byte < 256; byte++) {
      const bytes = new Uint8Array(32).fill(byte);
      const opener = new HallOpener({ key: bytes, verifier: bytes }, byte);
      const frame = new Uint8Array(300).fill(byte);
      frame.set(sender);
      expect(opener.open(frame)).toBe(null);
      lobby.publish(frame);
    }
    await house.stage.settle();
    a.holder.issue(GROUP, payloadOf(500));
    await house.stage.settle();
    for (const { holder } of residents) expect(holder.sequenceOf(GROUP, a.id)).toBe(1);
  });

  it('end up with all of it where half is lost, and some comes twice', async () => {
    const { house, lobby, residents } = await atBroker(['a', 'b', 'c']);
    let count = 0;
    lobby.copies = () => {
      count += 1;
      return count % 2 === 0 ? 0 : count % 3 === 0 ? 2 : 1;
    };
    for (let n = 0; n < 100; n++) {
      for (const { holder } of residents) holder.issue(GROUP, payloadOf(300, n));
      await house.stage.advance(200);
    }
    const isAll = () =>
      residents.every(({ holder }) =>
        residents.every(({ id }) => holder.sequenceOf(GROUP, id) === 100),
      );
    await house.stage.until(isAll, 120_000);
    expect(lobby.frames.length).toBeGreaterThan(50);
    expect(
      residents.flatMap(({ mesh }) => mesh.status().peers.map((p) => p.misbehaviours)),
    ).toEqual(Array.from({ length: 6 }, () => 0));
  });

  it('tell each for itself while one hears nothing, and all again when it does', async () => {
    const { house, lobby, residents, sent } = await atBroker(['a', 'b', 'c']);
    const [a, , c] = residents as [Resident, Resident, Resident];
    lobby.copies = (end) => (end === 2 ? 0 : 1);
    for (let n = 0; n < 100; n++) {
      a.holder.issue(GROUP, payloadOf(300, n));
      await house.stage.settle();
    }
    expect(lobby.frames.length).toBeLessThanOrEqual(HALL_WINDOW_FRAMES);
    expect(sent(a)).toBeGreaterThanOrEqual(2 * (100 - HALL_WINDOW_FRAMES));
    lobby.copies = () => 1;
    await house.stage.advance(120_000);
    expect(c.holder.sequenceOf(GROUP, a.id)).toBe(100);
    const before = lobby.frames.length;
    a.holder.issue(GROUP, payloadOf(300));
    await house.stage.settle();
    expect(lobby.frames.length).toBe(before + 1);
  });

  it('pass over noise, and what strangers and former keys say', async () => {
    const { house, lobby, residents } = await atBroker(['a', 'b', 'c']);
    const [a] = residents as [Resident];
    a.holder.issue(GROUP, payloadOf(500));
    await house.stage.settle();
    const [frame] = lobby.frames;
    lobby.publish(frame!);
    lobby.publish(new HallSeal().seal(messages));
    for (const length of [0, 7, 8, 16, 200]) lobby.publish(new Uint8Array(length));
    lobby.publish(Uint8Array.from(frame!, (byte, at) => (at === 40 ? byte ^ 1 : byte)));
    await house.stage.settle();
    for (const { mesh, holder } of residents) {
      expect(mesh.status().peers.map(({ misbehaviours }) => misbehaviours)).toEqual([0, 0]);
      expect(Math.max(0, ...holder.delivered.values())).toBeLessThanOrEqual(1);
    }
  });

  it('hear what was said while they read nothing, up to a bound', async () => {
    const { house, lobby, residents } = await atBroker(['a', 'b', 'c']);
    const [a, b] = residents as [Resident, Resident];
    b.mesh.pause();
    for (let n = 0; n < 10; n++) {
      a.holder.issue(GROUP, payloadOf(300, n));
      await house.stage.settle();
    }
    expect(lobby.frames.length).toBe(10);
    expect(b.holder.sequenceOf(GROUP, a.id)).toBe(0);
    b.mesh.resume();
    await house.stage.settle();
    expect(b.holder.sequenceOf(GROUP, a.id)).toBe(10);
  });
});
