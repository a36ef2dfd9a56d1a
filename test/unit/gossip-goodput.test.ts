import { describe, expect, it } from 'vitest';
import { Goodput } from '../../src/gossip/goodput.ts';

describe('the goodput of a link', () => {
  it('is that of its life while it is young, and of the last minute later', () => {
    const goodput = new Goodput(5_000);
    goodput.add(6_000, { sent: 100 });
    goodput.add(7_000, { received: 50 });
    expect(goodput.perSecond(15_000)).toEqual({
      sentBytesPerSecond: 10,
      receivedBytesPerSecond: 5,
    });
    for (let second = 15; second < 600; second++) goodput.add(second * 1_000, { sent: 960 });
    const { sentBytesPerSecond, receivedBytesPerSecond } = goodput.perSecond(599_999);
    expect(sentBytesPerSecond).toBeCloseTo(960, 0);
    expect(receivedBytesPerSecond).toBe(0);
    expect(goodput.perSecond(700_000).sentBytesPerSecond).toBe(0);
  });
});
