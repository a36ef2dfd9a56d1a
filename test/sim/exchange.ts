import type { ConsensusState, GroupDescription } from '../../src/consensus/metablockchain.ts';
import { describe } from '../../src/consensus/metablockchain.ts';
import type { Cut } from '../../src/model/cut.ts';
import type { Metablock } from '../../src/model/metablock.ts';
import {
  type AvatarId,
  deriveQuorum,
  type GroupId,
  type SyncGroup,
} from '../../src/model/sync-group.ts';
import type { DurableStore } from './durable-store.ts';
import type { GroupDigest, Message } from './message.ts';

/** Levels of the finalized chain in one answer, and Blocks of one issuer. */
const CHUNK_LEVELS = 64;
const CHUNK_BLOCKS = 128;

export function digestOf(store: DurableStore, state: ConsensusState): GroupDigest[] {
  const described = new Map(describe(state).map((each) => [each.group, each] as const));
  return store.groups.map((group) => digestOfGroup(store, group, described.get(group.id)));
}

function digestOfGroup(
  store: DurableStore,
  group: SyncGroup,
  described: GroupDescription | undefined,
): GroupDigest {
  const isEnded = store.ended.has(group.id);
  const lacking = [...store.blocks.values()].filter(
    ({ block, held, isFinal }) =>
      !held && block.group === group.id && !store.isCovered(block) && (isFinal || !isEnded),
  );
  return {
    group: group.id,
    finalizedLevel: store.chains.get(group.id)!.length - 1,
    head: described?.head?.metablock ?? null,
    ballot: described?.ballot ?? (0 as GroupDigest['ballot']),
    isOpen: described?.open ?? false,
    frontier: new Map(group.owners.map((owner) => [owner, frontierOf(store, group.id, owner)])),
    lacking: lacking.slice(0, CHUNK_BLOCKS).map(({ block }) => block.id),
    forks: new Map(
      [...store.forks.values()]
        .filter((fork) => fork.group === group.id)
        .map(({ issuer, lastGood }) => [issuer, lastGood]),
    ),
  };
}

/** Of a Causal Group that forks, what comes before the fork. */
function frontierOf(store: DurableStore, group: GroupId, owner: AvatarId): number {
  // Of a group that is over, what became final is all there ever will be.
  const isEnded = store.ended.has(group) && !store.retired.has(group);
  const last = store.heads.get(group)?.issuers.get(owner)?.sequence ?? 0;
  if (isEnded) return last;
  const count = store.causalGroup(group, owner).length;
  return Math.min(count, store.forks.get(group + owner)?.lastGood ?? count);
}

/** Do two digests of a group call for an exchange? Ballots alone do not. */
export function isSameDigest(a: GroupDigest, b: GroupDigest): boolean {
  if (a.finalizedLevel !== b.finalizedLevel || a.head !== b.head) return false;
  if (a.lacking.length + b.lacking.length > 0) return false;
  if (a.forks.size !== b.forks.size) return false;
  if (![...a.forks].every(([issuer, last]) => b.forks.get(issuer) === last)) return false;
  return [...a.frontier].every(([owner, count]) => b.frontier.get(owner) === count);
}

/** What a peer that stands at `theirs` lacks: Blocks, then finalized chain, then what is open. */
export function answer(store: DurableStore, ours: GroupDigest, theirs: GroupDigest): Message[] {
  const messages: Message[] = [];
  for (const [issuer, lastGood] of ours.forks) {
    if ((theirs.forks.get(issuer) ?? Number.POSITIVE_INFINITY) <= lastGood) continue;
    messages.push({ kind: 'fork-proof', blocks: store.forks.get(ours.group + issuer)!.blocks });
  }
  for (const [issuer, count] of ours.frontier) {
    const from = theirs.frontier.get(issuer) ?? 0;
    const blocks = store
      .causalGroup(ours.group, issuer)
      .slice(from, Math.min(count, from + CHUNK_BLOCKS));
    // Below the cut there is nothing.
    for (const block of blocks.filter((each) => each !== undefined)) {
      messages.push(blockMessage(store, block.id)!);
    }
  }
  for (const id of theirs.lacking) {
    const message = blockMessage(store, id);
    if (message?.kind === 'block' && message.held) messages.push(message);
  }
  if (ours.finalizedLevel > theirs.finalizedLevel) {
    messages.push(...chunk(store, ours, theirs.finalizedLevel + 1));
  }
  const isNear = ours.finalizedLevel <= theirs.finalizedLevel + CHUNK_LEVELS;
  if (isNear && (ours.head !== theirs.head || ours.isOpen || theirs.isOpen)) {
    for (const metablock of store.openMetablocks()) {
      if (metablock.predecessors.some((each) => each.group === ours.group)) {
        messages.push(...metablockMessages(store, metablock));
      }
    }
  }
  return messages;
}

/**
 * Finalized Metablocks in chain order, the last of them provable where there is one. Where they are
 * thrown away, the cut in their place.
 */
function chunk(store: DurableStore, ours: GroupDigest, asked: number): Message[] {
  const chain = store.chains.get(ours.group)!;
  const cut = store.cuts.get(ours.group);
  const isBelow = cut !== undefined && asked <= cut.level;
  const from = isBelow ? cut.level + 1 : asked;
  const group = store.groups.find((each) => each.id === ours.group)!;
  let end = Math.min(chain.length, from + CHUNK_LEVELS);
  const isProvable = (level: number) => {
    const votes = new Map<number, number>();
    for (const { entries } of store.certificatesOf(chain[level]!)) {
      const ballot = entries.find((each) => each.group === group.id)?.ballot;
      if (ballot !== undefined) votes.set(ballot, (votes.get(ballot) ?? 0) + 1);
    }
    const quorum = deriveQuorum(group.owners.length, group.quorumPolicy);
    return [...votes.values()].some((count) => count >= quorum);
  };
  while (end < chain.length && !isProvable(end - 1)) end++;
  const messages = chain
    .slice(from, end)
    .flatMap((id, at) => [
      ...metablockMessages(store, store.metablocks.get(id)!),
      ...signaturesAt(store, group.id, from + at),
    ]);
  return isBelow ? [beginningOf(store, cut), ...messages] : messages;
}

/** The certified cut below which nothing is kept, with its Metablock. */
export function beginningOf(store: DurableStore, cut: Cut): Message {
  const metablock = store.metablocks.get(cut.metablock!) ?? null;
  return { kind: 'cut', cut, metablock, isAnswer: true };
}

function signaturesAt(store: DurableStore, group: GroupId, level: number): Message[] {
  const cut = store.signedAt(group, level);
  return cut === null ? [] : [{ kind: 'cut', cut, metablock: null, isAnswer: true }];
}

export function metablockMessages(store: DurableStore, metablock: Metablock): Message[] {
  const certificates = store
    .certificatesOf(metablock.id)
    .map((certificate): Message => ({ kind: 'certificate', certificate }));
  return [{ kind: 'metablock', metablock }, ...certificates];
}

export function blockMessage(store: DurableStore, id: string): Message | null {
  const stacked = store.blocks.get(id as Parameters<typeof store.blocks.get>[0]);
  if (stacked === undefined) return null;
  const payload = store.payloads.get(stacked.block.id);
  const message = { kind: 'block', block: stacked.block, held: stacked.held } as const;
  return payload === undefined ? message : { ...message, payload };
}

/** Answers a `want`. */
export function give(store: DurableStore, want: Extract<Message, { kind: 'want' }>): Message[] {
  const messages: Message[] = [];
  for (const id of want.blocks) {
    const message = blockMessage(store, id);
    if (message !== null) messages.push(message);
  }
  for (const id of want.metablocks) {
    const metablock = store.metablocks.get(id);
    if (metablock !== undefined) messages.push(...metablockMessages(store, metablock));
  }
  return messages;
}
