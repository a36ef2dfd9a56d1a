import { defineBehavior } from 'vertebra/behavior';
import type { Pacts } from './pacts.ts';

/** Switches the fan on. What undoes it switches it off. */
export default defineBehavior<Pacts, 'fan_order'>({
  name: 'cool',
  consumes: ['fan_order'],
  produces: ['fan_report'],
  devices: ['fan'],
  run(ctx) {
    ctx.device('fan').set(1);
    ctx.produce('fan_report', { sensor: ctx.entry.sensor, on: true });
  },
  undo(ctx) {
    ctx.device('fan').set(0);
    ctx.produce('fan_report', { sensor: ctx.entry.sensor, on: false });
  },
});
