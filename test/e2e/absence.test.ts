import { afterEach, expect, test } from 'vitest';
import { NOTE, notes, World } from './world.ts';

let world: World;

afterEach(async () => {
  await world?.end();
});

test('two of three owners go on without the third, which catches up when it returns', async () => {
  world = await World.start({ names: ['ada', 'bert', 'cleo'] });
  const [ada, bert, cleo] = world.agents as [(typeof world.agents)[0], ...typeof world.agents];
  await ada.push(NOTE, notes('ada', 1, 10));
  await world.settled(world.agents, 10);

  await cleo!.kill();
  await ada.push(NOTE, notes('ada', 11, 20));
  await bert!.push(NOTE, notes('bert', 1, 10));
  await world.settled([ada, bert!], 30);

  await cleo!.run();
  await world.settled(world.agents, 30);
  await cleo!.push(NOTE, notes('cleo', 1, 5));
  await world.settled(world.agents, 35);

  const pulled = await Promise.all(world.agents.map((each) => each.pull(NOTE)));
  expect(pulled[0]).toHaveLength(35);
  expect(pulled[1]).toEqual(pulled[0]);
  expect(pulled[2]).toEqual(pulled[0]);
  const comparison = await world.compare();
  expect(comparison).toMatchObject({ agree: true, differences: [] });
}, 60_000);
