import type { InvocationId, Saga } from '../../src/model/saga.ts';
import type { SagaState } from '../../src/model/saga-state.ts';
import { groupId, isSame, type LogEntry, type SagaWorld } from './saga-world.ts';

export interface Findings {
  readonly broken: string[];
  readonly completed: number;
  readonly compensated: number;
  readonly voided: number;
}

interface Counting {
  readonly states: SagaState[];
  sequence: number;
}

/**
 * Judges a run that has come to rest by the logs alone, with rules written anew: first of its step,
 * continuing the last, on the last value of state.
 */
export function checkSagas(world: SagaWorld, saga: Saga): Findings {
  const broken: string[] = [];
  const chains = new Map<InvocationId, Counting>();
  let value = 0;
  let holder: InvocationId | null = null;
  let voided = 0;
  world.log(groupId('states')).forEach(({ state }, index) => {
    const found = state!;
    const chain = chains.get(found.invocation) ?? { states: [], sequence: 0 };
    const last = chain.states.at(-1);
    const isNext = found.step === chain.states.length && (found.previous ?? 0) === chain.sequence;
    const isOver = last?.kind === 'final' || last?.kind === 'final-failed';
    const isFree = holder === null || holder === found.invocation;
    const isTouching = found.basis !== null || found.state !== null;
    const isFresh = !isTouching || (isFree && found.basis === value);
    if (!isNext || isOver || !isFresh || isForeignResult(world, found, chain)) {
      voided++;
      return;
    }
    chain.states.push(found);
    chain.sequence = index + 1;
    chains.set(found.invocation, chain);
    if (found.state !== null) value = index + 1;
    if (found.kind === 'began' && found.basis !== null) holder = found.invocation;
    else if (holder === found.invocation) holder = null;
  });
  const ends = [...chains.values()].map((chain) => chain.states.at(-1)!);
  checkEnds(world, ends, broken);
  checkEffects(world, chains, broken);
  for (const { states } of chains.values()) checkUndone(saga, states, broken);
  for (const [invocation, count] of world.moved) {
    if (count > 1) broken.push(`moved ${count} times for ${invocation.slice(0, 8)}`);
  }
  return {
    broken,
    completed: ends.filter(({ kind }) => kind === 'final').length,
    compensated: ends.filter(({ kind }) => kind === 'final-failed').length,
    voided,
  };
}

/** What came of a claim is said by whoever claimed, or it failed. */
function isForeignResult(world: SagaWorld, state: SagaState, chain: Counting): boolean {
  const last = chain.states.at(-1);
  if (last?.kind !== 'began' || state.kind === 'failed' || state.kind === 'final-failed') {
    return false;
  }
  const log = world.log(groupId('states'));
  const issuer = log.find((each) => each.state === state)!.issuer;
  return issuer !== log[chain.sequence - 1]!.issuer;
}

function checkEnds(world: SagaWorld, ends: readonly SagaState[], broken: string[]): void {
  const { orders } = world.options;
  if (ends.length !== orders) broken.push(`${ends.length} invocations of ${orders}`);
  for (const end of ends) {
    if (end.kind !== 'final' && end.kind !== 'final-failed') broken.push(`ends in ${end.kind}`);
  }
  for (const member of world.members) {
    const open = member.notes.open().length;
    if (open > 0) broken.push(`${open} open at ${member.avatar.slice(0, 4)}`);
    for (const end of ends) {
      const own = member.notes.progress(end.invocation);
      if (own?.kind !== end.kind || own.step !== end.step) broken.push('notes differ');
    }
  }
}

/** Produced Entries of the counting States, each once, and no others. */
function checkEffects(
  world: SagaWorld,
  chains: ReadonlyMap<InvocationId, Counting>,
  broken: string[],
): void {
  const promised: { group: string; cause: LogEntry['cause'] }[] = [];
  for (const { states } of chains.values()) {
    for (const { produced, invocation, step } of states) {
      produced.forEach(({ group }, index) => {
        promised.push({ group, cause: { invocation, step, index } });
      });
    }
  }
  for (const group of [groupId('request'), groupId('notice')]) {
    const log = world.log(group);
    const first = log.filter(
      (entry, index) => log.findIndex((each) => isSame(each.cause, entry.cause)) === index,
    );
    const wanted = promised.filter((each) => each.group === group);
    const extra = first.filter((entry) => !wanted.some(({ cause }) => isSame(cause, entry.cause)));
    if (extra.length > 0) broken.push(`${extra.length} Entries that no State lists`);
    const kept = wanted.filter(({ cause }) => first.some((entry) => isSame(cause, entry.cause)));
    if (kept.length < wanted.length) broken.push('a listed Entry is missing');
  }
}

/** A failure undoes all that was done, newest first. */
function checkUndone(saga: Saga, states: readonly SagaState[], broken: string[]): void {
  const end = states.at(-1)!;
  if (end.kind !== 'final-failed') return;
  const done = states.filter(({ kind }) => kind === 'partial').map(({ place }) => place);
  const wanted = done.filter((place) => saga.stages[place]!.undo !== null).reverse();
  const tried = [...end.undone, ...end.stuck].sort((a, b) => b - a);
  if (tried.join() !== wanted.join()) broken.push(`undone ${tried}, not ${wanted}`);
  if (end.undone.join() !== [...end.undone].sort((a, b) => b - a).join()) {
    broken.push(`undone in the order ${end.undone}`);
  }
}
