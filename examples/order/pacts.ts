/** The Entries of `pacts/`, for the Saga and its Behaviors. */
export interface Pacts {
  shop_order: { order_id: string; item: string; cents: number };
  payment_request: { order_id: string; cents: number };
  order_notice: { order_id: string; text: string };
}
