import { defineSaga } from 'vertebra';
import type { Pacts } from './pacts.ts';

/** An order: what it takes from the warehouse is back where it cannot be paid. */
export default defineSaga<Pacts, 'shop_order'>({
  name: 'order',
  initiating: 'shop_order',
  key: 'order_id',
  scope: 'saga',
  stages: [
    { name: 'retrieve', behavior: './retrieve.ts' },
    { name: 'charge', behavior: './charge.ts', within: 60_000 },
  ],
});
