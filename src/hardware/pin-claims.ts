import { BoardError, type Claim } from '../ports/board.ts';

/** Who has which pin, in this process: one owner at a time. */
export class PinClaims {
  readonly #held = new Map<string, Claim>();

  /**
   * Takes all of `keys` for one owner, or none of them.
   *
   * @returns how to give them back.
   * @throws BoardError BOARD_PIN_HELD, which names who has the pin.
   */
  take(keys: readonly string[], claim: Claim): () => void {
    for (const key of keys) {
      const holder = this.#held.get(key);
      if (holder !== undefined) throw heldError(claim, holder);
    }
    for (const key of keys) this.#held.set(key, claim);
    return () => {
      for (const key of keys) if (this.#held.get(key) === claim) this.#held.delete(key);
    };
  }

  list(): Claim[] {
    return [...new Set(this.#held.values())];
  }
}

function heldError(wanted: Claim, holder: Claim): BoardError {
  const { pin, owner } = wanted;
  const what = holder.pin === pin ? `${pin} is held by ${holder.owner}` : sharedText(pin, holder);
  const message = `${what} as ${holder.use}; ${owner} cannot have it. Release it there first.`;
  return new BoardError('BOARD_PIN_HELD', message);
}

function sharedText(pin: string, holder: Claim): string {
  return `${pin} shares its PWM channel with ${holder.pin}, which is held by ${holder.owner}`;
}
