import { defineBehavior } from 'vertebra/behavior';
import type { Pacts } from './pacts.ts';

const FIRST_STOCK = 10;

/** Takes one item from the warehouse, whose stock is the state of the Saga. */
export default defineBehavior<Pacts, 'shop_order'>({
  name: 'retrieve',
  consumes: ['shop_order'],
  produces: ['payment_request'],
  run(ctx) {
    const stock = ctx.state.get<number>() ?? FIRST_STOCK;
    if (stock === 0) ctx.fail(`no ${ctx.entry.item} is left`);
    ctx.state.set(stock - 1);
    ctx.produce('payment_request', { order_id: ctx.entry.order_id, cents: ctx.entry.cents });
  },
  undo(ctx) {
    ctx.state.set((ctx.state.get<number>() ?? FIRST_STOCK) + 1);
  },
});
