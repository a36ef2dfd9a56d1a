import { defineBehavior } from 'vertebra/behavior';
import type { Pacts } from './pacts.ts';

/** Orders the fan on, once: its state says for each sensor whether the fan was ordered. */
export default defineBehavior<Pacts, 'room_temperature'>({
  name: 'decide',
  consumes: ['room_temperature'],
  produces: ['fan_order'],
  run(ctx) {
    const { sensor, celsius } = ctx.entry;
    if (ctx.state.get<boolean>() === true) ctx.fail('the fan was ordered before');
    ctx.state.set(true);
    ctx.produce('fan_order', { sensor, celsius });
  },
  undo(ctx) {
    ctx.state.set(false);
  },
});
