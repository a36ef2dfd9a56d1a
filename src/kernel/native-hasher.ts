import * as crypto from 'node:crypto';
import { invariant } from '../model/invariant.ts';
import type { Hasher, HashStream } from '../ports/hasher.ts';
import { checkLengths } from './packed.ts';

const DIGEST_BYTES = 32;

/**
 * One message to a digest as text, a character for each byte: the Buffer that node:crypto would
 * make otherwise takes as long as the hash of a short message.
 */
const digestText: (message: Uint8Array) => string =
  typeof crypto.hash === 'function'
    ? (message) => crypto.hash('sha256', message, 'binary')
    : // Node before 20.12.
      (message) => crypto.createHash('sha256').update(message).digest('binary');

/** SHA-256 of node:crypto, one call for each message. */
export class NativeHasher implements Hasher {
  hash(message: Uint8Array): Uint8Array {
    const digest = new Uint8Array(DIGEST_BYTES);
    writeText(digest, 0, digestText(message));
    return digest;
  }

  hashBatch(bytes: Uint8Array, lengths: Uint32Array): Uint8Array {
    checkLengths(bytes, lengths);
    const digests = new Uint8Array(DIGEST_BYTES * lengths.length);
    let offset = 0;
    for (let index = 0; index < lengths.length; index++) {
      const end = offset + lengths[index]!;
      writeText(digests, DIGEST_BYTES * index, digestText(bytes.subarray(offset, end)));
      offset = end;
    }
    return digests;
  }

  stream(): HashStream {
    return new NativeHashStream();
  }
}

class NativeHashStream implements HashStream {
  #hash: crypto.Hash | undefined = crypto.createHash('sha256');

  update(chunk: Uint8Array): this {
    this.#open().update(chunk);
    return this;
  }

  digest(): Uint8Array {
    const digest = this.#open().digest();
    this.#hash = undefined;
    return new Uint8Array(digest);
  }

  #open(): crypto.Hash {
    invariant(this.#hash, 'a hash stream is used until its digest is taken');
    return this.#hash;
  }
}

function writeText(target: Uint8Array, at: number, text: string): void {
  for (let index = 0; index < DIGEST_BYTES; index++) target[at + index] = text.charCodeAt(index);
}
