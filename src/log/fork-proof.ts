import { signedBytesOf } from '../model/block.ts';
import { fromHex } from '../model/bytes.ts';
import { type ForkProof, makeForkProof } from '../model/fork-proof.ts';
import { invariant } from '../model/invariant.ts';
import { accept, refuse, type Verdict } from '../model/verdict.ts';
import type { Verifier } from '../ports/signer.ts';
import type { LogMessage } from './message.ts';

// What a proof is and how its bytes lie, peers must know too: see the model.
export {
  decodeForkProof,
  encodeForkProof,
  FORK_BRANCHES_MAX,
  FORK_BRANCHES_MIN,
  FORK_PROOF_BYTES_MAX,
  type ForkProof,
  type ForkProofRefusal,
  makeForkProof,
} from '../model/fork-proof.ts';

/** As `makeForkProof`, of messages that are known to be branches of one fork. */
export function joinBranches(messages: readonly LogMessage[]): ForkProof {
  const made = makeForkProof(messages);
  invariant(made.ok, 'branches of one fork make a proof');
  return made.value;
}

/** Judges the signatures: a proof from a peer convicts nobody before this. */
export function checkForkProof(
  verifier: Verifier,
  proof: ForkProof,
): Verdict<ForkProof, 'fork-forged'> {
  const author = fromHex(proof.author);
  const isSigned = (each: LogMessage) =>
    verifier.verify(author, signedBytesOf(each), each.signature);
  return proof.branches.every(isSigned) ? accept(proof) : refuse('fork-forged');
}

/**
 * Is a message of the proof's log at or after the fork, by its place alone? For a proof that the
 * log could not take in yet (`adoptProof` said `unknown`); else ask `coveredByFork`.
 */
export function coveredByProof(proof: ForkProof, message: LogMessage): boolean {
  const isOfLog = message.group === proof.group && message.issuer === proof.author;
  return isOfLog && message.sequence >= proof.sequence;
}
