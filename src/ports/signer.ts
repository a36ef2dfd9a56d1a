/** One private key that signs. Synchronous and pure: the same message gives the same signature. */
export interface Signer {
  /** Ed25519 public key, 32 bytes. Of an Avatar's signer: the Avatar id. */
  readonly publicKey: Uint8Array;

  /** @returns 64 bytes, a fresh copy. The message must begin with the domain of its format. */
  sign(message: Uint8Array): Uint8Array;
}

/**
 * The one judge of all that is voted on: a World in which two verifiers disagree on a crafted
 * signature splits. Keys of small order and keys not in their canonical form are refused, so are
 * keys and signatures of another length.
 */
export interface Verifier {
  /** @returns whether it holds; never throws for what a peer can send. */
  verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean;
}
