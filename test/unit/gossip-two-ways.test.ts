import { describe, expect, it } from 'vitest';
import type { CausalSequence } from '../../src/model/numbers.ts';
import { House, isLinked, type Resident } from './gossip-house.ts';
import { Line } from './gossip-line.ts';
import { idOf, payloadOf } from './gossip-samples.ts';

const GROUP = idOf('group');
const BAUD_9600 = 960;

interface Triangle {
  readonly house: House;
  readonly line: Line;
  readonly a: Resident;
  readonly b: Resident;
  readonly c: Resident;
}

/** Three: a and c at the ends of a slow line, b on a fast link to a, and maybe to c. */
async function triangle(isClosed: boolean): Promise<Triangle> {
  const house = new House();
  const options = { kind: 'serial', bytesPerSecond: BAUD_9600, frameBytesMax: 256 } as const;
  const line = new Line(house.network, { ...options, timers: house.stage });
  const transports = [line];
  const a = await house.add('a', {}, { transports });
  const b = await house.add('b');
  const c = await house.add('c', {}, { transports });
  await c.mesh.listen('serial:c-cable');
  await house.link(a, b);
  if (isClosed) await house.link(c, b);
  a.mesh.dial('serial:c-cable');
  await house.stage.until(() => isLinked(a, c) && isLinked(c, a));
  await house.stage.advance(60_000);
  return { house, line, a, b, c };
}

describe('where a fast way leads to a peer on a slow line', () => {
  it('Blocks take the fast one, and next to nothing crosses the line', async () => {
    const { house, line, a, b, c } = await triangle(true);
    const before = line.bytes;
    for (let count = 0; count < 20; count++) {
      a.holder.issue(GROUP, payloadOf(3_000));
      c.holder.issue(GROUP, payloadOf(3_000));
      await house.stage.advance(1_000);
    }
    expect(c.holder.sequenceOf(GROUP, a.id)).toBe(20);
    expect(a.holder.sequenceOf(GROUP, c.id)).toBe(20);
    await house.stage.advance(60_000);
    expect(line.bytes - before).toBeLessThan(40 * 3_000 * 0.05);
    // Whoever says so is known to have them, on whatever way they came.
    const last = a.holder.causal(GROUP, a.id, 20 as CausalSequence, 1)[0]!;
    expect(new Set(a.mesh.holders(last))).toEqual(new Set([b.id, c.id]));
    expect(a.mesh.holders({ ...last, sequence: 21 as CausalSequence })).toEqual([]);
  });

  it('Blocks take the line once the fast one is gone', async () => {
    const { house, a, b, c } = await triangle(true);
    await house.close(b);
    a.holder.issue(GROUP, payloadOf(3_000));
    await house.stage.until(() => c.holder.sequenceOf(GROUP, a.id) === 1, 20_000);
    expect(c.holder.answers).toBe(0);
  });

  it('Blocks take the line where the fast one does not do its part', async () => {
    const { house, a, b, c } = await triangle(true);
    b.holder.isDeaf = true;
    a.holder.issue(GROUP, payloadOf(3_000));
    await house.stage.until(() => c.holder.sequenceOf(GROUP, a.id) === 1, 120_000);
  });

  it('what waits for the line is dropped when the peer says that it has it', async () => {
    const { house, line, a, b, c } = await triangle(false);
    const before = line.bytes;
    for (let count = 0; count < 7; count++) a.holder.issue(GROUP, payloadOf(9_000));
    await house.stage.advance(5_000);
    expect(b.holder.sequenceOf(GROUP, a.id)).toBe(7);
    c.mesh.dial('memory:b');
    await house.stage.until(() => c.holder.sequenceOf(GROUP, a.id) === 7, 60_000);
    await house.stage.advance(300_000);
    expect(a.mesh.status().peers.find((each) => each.peer === c.id)?.queuedBytes).toBe(0);
    // The one that was under way when c got them, and little more.
    expect(line.bytes - before).toBeLessThan(3 * 9_000);
  });
});
