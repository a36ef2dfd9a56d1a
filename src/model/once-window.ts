import { invariant } from './invariant.ts';

const WORD_BITS = 32;

/**
 * Which numbers of a rising count were seen, where they may come in any order: each counts once,
 * and one that lags too far behind the greatest is no longer told from one that was seen.
 *
 * @source RFC 6479, a ring of bits.
 */
export class OnceWindow {
  readonly #size: number;
  readonly #bits: Uint32Array;
  /** One above the greatest number seen. */
  #next: number;

  /**
   * @param size A multiple of 32: so far may a number lag behind the greatest.
   * @param first Whatever is below counts as seen.
   */
  constructor(size: number, first = 0) {
    invariant(size > 0 && size % WORD_BITS === 0, 'a window of whole words');
    this.#size = size;
    this.#bits = new Uint32Array(size / WORD_BITS).fill(0xffff_ffff);
    this.#next = first;
  }

  /** One above the greatest number seen. */
  get next(): number {
    return this.#next;
  }

  isFresh(number: number): boolean {
    if (number >= this.#next) return true;
    if (number < this.#next - this.#size) return false;
    return (this.#bits[this.#wordOf(number)]! & bitOf(number)) === 0;
  }

  add(number: number): void {
    if (number >= this.#next) this.#moveTo(number + 1);
    this.#bits[this.#wordOf(number)]! |= bitOf(number);
  }

  #moveTo(next: number): void {
    if (next - this.#next >= this.#size) this.#bits.fill(0);
    else {
      for (let number = this.#next; number < next; number++) {
        this.#bits[this.#wordOf(number)]! &= ~bitOf(number);
      }
    }
    this.#next = next;
  }

  #wordOf(number: number): number {
    return (number % this.#size) >>> 5;
  }
}

/** 32 divides every size, so that the place in a word hangs on the number alone. */
function bitOf(number: number): number {
  return 1 << (number % WORD_BITS);
}
