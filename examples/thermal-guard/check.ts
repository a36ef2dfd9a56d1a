import { defineBehavior } from 'vertebra/behavior';
import type { Pacts } from './pacts.ts';

/** Looks whether the fan turns: it only reads a pin, and moves nothing. */
export default defineBehavior<Pacts, 'fan_report'>({
  name: 'check',
  consumes: ['fan_report'],
  devices: [{ name: 'fan_sense', moves: false }],
  run(ctx) {
    if (ctx.device('fan_sense').get() !== true) ctx.fail('the fan does not turn');
  },
});
