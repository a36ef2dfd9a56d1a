/** The Entries of `pacts/`, for the Saga and its Behaviors. */
export interface Pacts {
  room_temperature: { sensor: string; celsius: number };
  fan_order: { sensor: string; celsius: number };
  fan_report: { sensor: string; on: boolean };
}
