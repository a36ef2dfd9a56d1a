import { randomBytes, timingSafeEqual } from 'node:crypto';

const REDACTED = '[secret]';

/**
 * Bytes that no log, error, table or frame may show. However it is printed (in a string, as JSON,
 * by `console.log`), it reads `[secret]`; only `reveal` gives the bytes.
 */
export class Secret {
  readonly #bytes: Uint8Array;

  /** Copies `bytes`. */
  constructor(bytes: Uint8Array) {
    this.#bytes = Uint8Array.from(bytes);
  }

  /** Fresh bytes from the operating system's generator. */
  static random(length: number): Secret {
    return new Secret(randomBytes(length));
  }

  /** Bytes in it. */
  get length(): number {
    return this.#bytes.length;
  }

  /** @returns a copy, for a cryptographic function and nothing else. */
  reveal(): Uint8Array {
    return this.#bytes.slice();
  }

  /** Compares in a time that does not depend on where the two differ. */
  equals(other: Secret): boolean {
    return this.length === other.length && timingSafeEqual(this.#bytes, other.#bytes);
  }

  toString(): string {
    return REDACTED;
  }

  toJSON(): string {
    return REDACTED;
  }

  /** What `console.log` and `util.inspect` print. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return REDACTED;
  }
}
