import type { Hasher, HashStream } from '../ports/hasher.ts';
import { measureRouting, type Routing, type RoutingCandidates } from './routing.ts';

/** From here on the four lanes of a batch are full. */
const LANE_COUNT = 4;

/** SHA-256 by the WASM or node:crypto, whichever is faster for the size. */
export class RoutedHasher implements Hasher {
  readonly #candidates: RoutingCandidates;
  #routing: Routing | undefined;

  /** @param routing Fixed; without it, measured at the first use. */
  constructor(candidates: RoutingCandidates, routing?: Routing) {
    this.#candidates = candidates;
    this.#routing = routing;
  }

  /** What goes where; measured when first asked for. */
  get routing(): Routing {
    this.#routing ??= measureRouting(this.#candidates);
    return this.#routing;
  }

  hash(message: Uint8Array): Uint8Array {
    const { wasm, native } = this.#candidates;
    const chosen = message.length <= this.routing.hashBytesMax ? wasm : native;
    return chosen.hash(message);
  }

  hashBatch(bytes: Uint8Array, lengths: Uint32Array): Uint8Array {
    const { wasm, native } = this.#candidates;
    const { batchBytesMax, hashBytesMax } = this.routing;
    const meanBytesMax = lengths.length < LANE_COUNT ? hashBytesMax : batchBytesMax;
    const chosen = bytes.length <= meanBytesMax * lengths.length ? wasm : native;
    return chosen.hashBatch(bytes, lengths);
  }

  stream(): HashStream {
    const { wasm, native } = this.#candidates;
    return (this.routing.isStreamInWasm ? wasm : native).stream();
  }
}
