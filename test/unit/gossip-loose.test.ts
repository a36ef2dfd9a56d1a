import { describe, expect, it } from 'vitest';
import type { Mesh } from '../../src/gossip/mesh.ts';
import type { GossipSettings } from '../../src/gossip/settings.ts';
import type { GroupId } from '../../src/model/sync-group.ts';
import { House, isLinked, type Resident } from './gossip-house.ts';
import { LooseLine, type Looseness } from './gossip-loose-line.ts';
import { certificateOf, idOf, payloadOf } from './gossip-samples.ts';
import { SeededRandom } from './gossip-stage.ts';

const GROUP: GroupId = idOf('group');
const VOTERS = [idOf('a'), idOf('b')] as const;

/** Participants whose only links lose frames, repeat them, and let them overtake each other. */
async function looseHouse(
  names: readonly string[],
  looseness: Partial<Looseness> = {},
  settings: Partial<GossipSettings> = {},
) {
  const house = new House();
  const line = new LooseLine(house.network, {
    timers: house.stage,
    random: new SeededRandom(7),
    lost: 0.3,
    twice: 0.05,
    leastMs: 5,
    jitterMs: 20,
    ...looseness,
  });
  const residents: Resident[] = [];
  for (const name of names) {
    const resident = await house.add(name, settings, { transports: [line] });
    await resident.mesh.listen(`loose:${name}`);
    for (const before of residents) resident.mesh.dial(`loose:${before.name}`);
    residents.push(resident);
  }
  return { house, line, residents };
}

const linkedTo = (mesh: Mesh) => mesh.status().peers.length;

describe('Participants whose links lose 30 % of all frames', () => {
  it('link up, and stay linked', async () => {
    const { house, residents } = await looseHouse(['a', 'b', 'c']);
    const [a, b, c] = residents as [Resident, Resident, Resident];
    const isAll = () => residents.every(({ mesh }) => linkedTo(mesh) === 2);
    await house.stage.until(isAll);
    await house.stage.advance(600_000);
    expect(isLinked(a, b) && isLinked(b, c) && isLinked(c, a)).toBe(true);
    expect(residents.flatMap(({ holder }) => holder.events.map(({ kind }) => kind))).toEqual(
      Array.from({ length: 6 }, () => 'up'),
    );
    expect(a.mesh.status().refusedHandshakes).toBe(0);
  });

  it('bring every vote to everyone within seconds, once', async () => {
    const { house, residents } = await looseHouse(['a', 'b']);
    const [a, b] = residents as [Resident, Resident];
    await house.stage.until(() => isLinked(a, b) && isLinked(b, a));
    for (let level = 0; level < 50; level++) {
      const block = a.holder.issue(GROUP, payloadOf(100, level));
      const metablock = a.holder.extend(GROUP, [block], [VOTERS[0]]);
      await house.stage.until(() => b.holder.has({ kind: 'metablock', metablock }), 10_000, 10);
      const certificate = certificateOf(GROUP, metablock, VOTERS[1]);
      b.holder.say({ kind: 'certificate', certificate });
      await house.stage.until(() => a.holder.has({ kind: 'certificate', certificate }), 10_000, 10);
    }
    await house.stage.until(() => b.holder.levelOf(GROUP) === a.holder.levelOf(GROUP));
    expect(a.holder.levelOf(GROUP)).toBe(48);
    expect(Math.max(...b.holder.delivered.values())).toBeLessThanOrEqual(3);
    // What was lost was sent again, and that can be seen.
    for (const { mesh } of residents) {
      expect(mesh.status().peers[0]?.repairs?.repeated).toBeGreaterThan(10);
    }
  });

  it('end up with every Block, large ones too, though none is sent again unasked', async () => {
    const { house, line, residents } = await looseHouse(['a', 'b']);
    const [a, b] = residents as [Resident, Resident];
    await house.stage.until(() => isLinked(a, b) && isLinked(b, a));
    for (let n = 0; n < 40; n++) {
      a.holder.issue(idOf('sole a'), payloadOf(n % 4 === 0 ? 200_000 : 500, n));
      await house.stage.advance(50);
    }
    await house.stage.until(() => b.holder.sequenceOf(idOf('sole a'), a.id) === 40, 600_000);
    expect(b.holder.digest()).toEqual(a.holder.digest());
    expect(line.lostFrames).toBeGreaterThan(100);
  });

  it('bring a newcomer all there is, in order', async () => {
    const { house, residents } = await looseHouse(['a']);
    const [a] = residents as [Resident];
    for (let level = 0; level < 300; level++) {
      const block = a.holder.issue(GROUP, payloadOf(2_000, level & 0xff));
      a.holder.extend(GROUP, [block], VOTERS);
    }
    const line = new LooseLine(house.network, {
      timers: house.stage,
      random: new SeededRandom(8),
      lost: 0.3,
      twice: 0.05,
      leastMs: 5,
      jitterMs: 20,
    });
    const b = await house.add('b', {}, { transports: [line] });
    b.mesh.dial('loose:a');
    await house.stage.until(() => b.holder.levelOf(GROUP) === a.holder.levelOf(GROUP), 600_000);
    expect(b.holder.digest()).toEqual(a.holder.digest());
  });

  it('see a peer that went away without a word', async () => {
    const { house, line, residents } = await looseHouse(['a', 'b']);
    const [a, b] = residents as [Resident, Resident];
    await house.stage.until(() => isLinked(a, b) && isLinked(b, a));
    line.looseness.lost = 1;
    await house.stage.until(() => !isLinked(a, b) && !isLinked(b, a), 300_000);
    line.looseness.lost = 0.3;
    await house.stage.until(() => isLinked(a, b) && isLinked(b, a), 300_000);
  });
});
