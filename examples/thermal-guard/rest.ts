import { defineBehavior } from 'vertebra/behavior';
import type { Pacts } from './pacts.ts';

/** Switches the fan off, and lets the next hot reading order it again. */
export default defineBehavior<Pacts, 'room_temperature'>({
  name: 'rest',
  consumes: ['room_temperature'],
  produces: ['fan_report'],
  devices: ['fan'],
  run(ctx) {
    ctx.device('fan').set(0);
    ctx.state.set(false);
    ctx.produce('fan_report', { sensor: ctx.entry.sensor, on: false });
  },
});
