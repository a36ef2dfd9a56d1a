import { accept, refuse, type Verdict } from '../model/verdict.ts';
import type { Verifier } from '../ports/signer.ts';
import { checkForkProof, makeForkProof } from './fork-proof.ts';
import type { Log } from './log.ts';
import type { LogHistory } from './message.ts';

/** Why a state is none that a correct replica can be in. */
export type LogFault =
  /** CL2, FL2: `last` is no valid message that is known here. */
  | 'last-unknown'
  /** CL3, FL3: `last` is of another log. */
  | 'last-elsewhere'
  /** `last` has another causal sequence. */
  | 'last-misplaced'
  /** FL4: a branch is not signed by the author. */
  | 'fork-forged'
  /** FL5: the proof is of another log. */
  | 'fork-elsewhere'
  /** FL1, FL6: fewer than two different messages with one previous. */
  | 'fork-single'
  /** FL6: of several logs or places. */
  | 'fork-mixed'
  /** FL7: the branches do not follow `last`. */
  | 'fork-misplaced'
  /** Branches doubled, out of order or too many: not the one form that a proof has. */
  | 'fork-unordered';

/**
 * CL1 to CL3 and FL1 to FL7. Ignore a state that is refused.
 *
 * That a branch of a proof is valid (FL4) means here that it is signed and stands in its place:
 * two such messages convict their author whatever they depend on, and a proof must be judged alike
 * by whoever lacks those dependencies.
 *
 * @param ground The history, which holds valid messages only, and who judges signatures.
 * @source features E6; 2P-BFT-Log 3.3.1.
 */
export function judgeLog(
  log: Log,
  ground: { readonly history: LogHistory; readonly verifier: Verifier },
): Verdict<Log, LogFault> {
  const last = judgeLast(log, ground.history);
  if (!last.ok || log.forks === null) return last;
  return judgeForks(log, ground.verifier);
}

function judgeLast(log: Log, history: LogHistory): Verdict<Log, LogFault> {
  if (log.last === null) return log.sequence === 0 ? accept(log) : refuse('last-misplaced');
  const last = history.message(log.last);
  if (last === undefined) return refuse('last-unknown');
  if (last.group !== log.group || last.issuer !== log.author) return refuse('last-elsewhere');
  return last.sequence === log.sequence ? accept(log) : refuse('last-misplaced');
}

function judgeForks(log: Log, verifier: Verifier): Verdict<Log, LogFault> {
  const { branches, ...said } = log.forks!;
  const made = makeForkProof(branches);
  if (!made.ok) return refuse(made.reason);
  const proof = made.value;
  const isOneForm =
    branches.length === proof.branches.length &&
    branches.every((each, index) => each.id === proof.branches[index]!.id);
  if (!isOneForm) return refuse('fork-unordered');
  if (proof.group !== log.group || proof.author !== log.author) return refuse('fork-elsewhere');
  if (said.group !== log.group || said.author !== log.author) return refuse('fork-elsewhere');
  const follows = [proof, said].every(
    (each) => each.previous === log.last && each.sequence === log.sequence + 1,
  );
  if (!follows) return refuse('fork-misplaced');
  return checkForkProof(verifier, proof).ok ? accept(log) : refuse('fork-forged');
}
