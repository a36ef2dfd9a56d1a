import { WINDOW_FRAMES } from './mqtt-packet.ts';

/**
 * Packets of which the other end has not said that it heard them, at most. An honest end says so in
 * each of its own, and has few of them on their way that do not say it yet.
 */
export const UNHEARD_MAX = 8 * WINDOW_FRAMES;

/** Numbers at the broker of packets that the other end has not said it heard. */
export class Unheard {
  private readonly packets: { readonly counter: number; readonly number: number }[] = [];

  /** @returns false for one too many. */
  add(counter: number, number: number): boolean {
    this.packets.push({ counter, number });
    return this.packets.length <= UNHEARD_MAX;
  }

  /** Takes out those before `heard`, in order. */
  *takeBefore(heard: number): Iterable<number> {
    while (this.packets[0] !== undefined && this.packets[0].counter < heard) {
      yield this.packets.shift()!.number;
    }
  }
}
