import { defineSaga } from 'vertebra';
import type { Pacts } from './pacts.ts';

/** From 60 degrees on the fan turns, until its sensor reads less than 55. */
export default defineSaga<Pacts, 'room_temperature'>({
  name: 'thermal_guard',
  initiating: 'room_temperature',
  key: 'sensor',
  scope: 'key',
  when: [['celsius', '>=', 60]],
  stages: [
    { name: 'decide', behavior: './decide.ts', binding: ['site=office'] },
    { name: 'cool', behavior: './cool.ts' },
    { name: 'check', behavior: './check.ts' },
    {
      name: 'rest',
      behavior: './rest.ts',
      consumes: 'room_temperature',
      by: 'sensor',
      when: [['celsius', '<', 55]],
    },
  ],
});
