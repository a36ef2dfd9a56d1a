import { defineBehavior } from 'vertebra/behavior';
import type { Pacts } from './pacts.ts';

/** What everybody's account holds here. */
const FUNDS_CENTS = 1000;

/** Collects the payment, and tells the customer what became of the order. */
export default defineBehavior<Pacts, 'payment_request'>({
  name: 'charge',
  consumes: ['payment_request'],
  produces: ['order_notice'],
  run(ctx) {
    const { order_id, cents } = ctx.entry;
    const isPaid = cents <= FUNDS_CENTS;
    const text = isPaid ? 'on its way' : 'insufficient funds: nothing is charged';
    ctx.produce('order_notice', { order_id, text });
    if (!isPaid) ctx.fail('insufficient funds');
  },
});
