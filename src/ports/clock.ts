/** Time as a value. Only adapters make one. */
export interface Clock {
  /** Milliseconds that never go back, whatever is done to the machine's clock; no fixed origin. */
  monotonicMs(): number;
  /** Milliseconds since 1970 by the machine's clock, for people; may jump. */
  wallMs(): number;
}

/** A clock that can wake somebody. */
export interface Timers extends Clock {
  /** Calls `wake` once, not before `delayMs` from now. @returns how to call it off. */
  after(delayMs: number, wake: () => void): () => void;
}

/** Chance as a value. */
export interface Random {
  /** Fresh unpredictable bytes. */
  bytes(count: number): Uint8Array;
  /** Evenly spread, at least 0 and below 1; not for secrets. */
  fraction(): number;
}
