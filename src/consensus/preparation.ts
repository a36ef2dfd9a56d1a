import type { Block } from '../model/block.ts';
import { fromHex, ID_BYTES } from '../model/bytes.ts';
import { invariant } from '../model/invariant.ts';
import {
  encodeMetablock,
  type Metablock,
  type MetablockBody,
  type MetablockId,
  sealMetablock,
} from '../model/metablock.ts';
import { type Generation, type Level, NO_GENERATION } from '../model/numbers.ts';
import { PRIORITIES } from '../model/pact.ts';
import type { GroupId } from '../model/sync-group.ts';
import type { ConsensusSettings } from './events.ts';
import { type GroupState, headNode } from './group-state.ts';
import { addNode, hasOwnChild } from './metablock-intake.ts';
import type { Node } from './node.ts';
import { choosePending, pendingOf } from './pending-blocks.ts';
import { roundTripMs } from './timeout.ts';
import { deriveTurn, headSinceMs, turnWidthMs } from './turns.ts';
import { isNextGeneration, permitsNewChild } from './vote-rules.ts';
import { permittedChildren } from './voting.ts';
import { isWellFormed, makeNode } from './well-formed.ts';
import type { Work } from './work.ts';

/**
 * When this owner is to prepare a child of the head of the group, in milliseconds; null where
 * nothing calls for one, or another's will do.
 *
 * @source consensus.md 5; FIG. 6D.
 */
export function derivePrepareAtMs(work: Work, group: GroupState): number | null {
  if (!group.isVoter) return null;
  const sinceMs = headSinceMs(group);
  if (sinceMs === null || withinLeap([{ before: headNode(group) }]).length === 0) return null;
  const call = deriveCall(work, group, sinceMs);
  if (call === null || hasOwnChild(work, group, group.head)) return null;
  if (!permitsNewChild(group, work.chainOf(group), group.head)) return null;
  const others = permittedChildren(work, group);
  if (others.some((child) => child.turn <= call.turn)) return null;
  return Math.max(sinceMs, call.atMs) + call.turn * turnWidthMs(work, group);
}

/** What calls for a child of the head, since when, and at which turn it is this owner's to make. */
function deriveCall(
  work: Work,
  group: GroupState,
  sinceMs: number,
): { readonly atMs: number; readonly turn: number } | null {
  const { self, settings } = work.context;
  const head = headNode(group);
  const pending = pendingOf(group, settings.prepareBlockCount);
  const isFull = pending.count >= settings.prepareBlockCount;
  group.pendingFullAtMs = isFull ? (group.pendingFullAtMs ?? work.nowMs) : null;
  const turn = deriveTurn(group, self, ((head?.level ?? -1) + 1) as Level);
  // A head that is not closed calls for a child, whatever else does. Where its issuer will have
  // signed one along with it, that child may still be on its way: others wait one turn more.
  if (head?.carries === true) {
    return { atMs: sinceMs, turn: isClosedFast(head, settings) ? turn + 1 : turn };
  }
  if (pending.count === 0) return null;
  // What came after all before it was decided follows a pause, however short: it waits for nobody.
  // Others see that moment elsewhere, so only the first turn goes by it.
  if (turn === 0 && pending.sinceMs >= group.decidedAtMs) return { atMs: pending.sinceMs, turn };
  const isOwn = pending.firstIssuer === self;
  const sharedMs = pending.sinceMs + (isOwn && turn > 0 ? deriveHeadStartMs(work, group) : 0);
  const spacedMs = Math.max(sharedMs, group.carriedAtMs + deriveSpacingMs(group, settings));
  return { atMs: Math.min(spacedMs, group.pendingFullAtMs ?? spacedMs), turn };
}

/**
 * How much earlier than the others an issuer knows of its own Block: half a round trip, or half a
 * turn where that is shorter or nothing is known. Turns that all count from the same moment do not
 * meet: an issuer that counted from its own would prepare just as the Metablock of the turn before
 * comes, and the two would share the votes.
 */
function deriveHeadStartMs(work: Work, group: GroupState): number {
  const widthMs = turnWidthMs(work, group);
  const tripMs = roundTripMs(work, group);
  return (tripMs === 0 ? widthMs : Math.min(widthMs, tripMs)) / 2;
}

/** Blocks that the last Metablock carried from which on the whole interval is kept. */
const SPACED_COUNT = 4;

/**
 * How far apart Metablocks with Blocks are prepared: the interval while each gathers several, less
 * while they come one by one. All owners see the same count.
 */
function deriveSpacingMs(group: GroupState, settings: ConsensusSettings): number {
  const share = Math.min(1, Math.max(0, group.carriedCount - 1) / (SPACED_COUNT - 1));
  return share * settings.prepareIntervalMs;
}

/** Where a new Metablock would stand in one group. */
interface Place {
  readonly group: GroupState;
  readonly before: Node | null;
  readonly blocks: readonly Block[];
}

/**
 * Prepares one Metablock for all groups in which it is this owner's turn now.
 *
 * @returns whether there was one to prepare.
 */
export function prepare(work: Work): boolean {
  const places = choosePlaces(work);
  if (places.length === 0) return false;
  const metablock = issue(work, places);
  for (const place of places) settlePlace(work, place, metablock, place.group.ballot);
  closeFast(work, places, metablock);
  return true;
}

/** Of the first priority of which something is to be prepared. */
function choosePlaces(work: Work): Place[] {
  for (const due of dueByPriority(work)) {
    const places = placesOf(work, due);
    if (places.length > 0) return places;
  }
  return [];
}

/**
 * Groups in which it is this owner's turn now. A Metablock is judged when the headers of all its
 * Blocks are there, so what goes last over a slow link must not stand beside what goes first.
 */
function dueByPriority(work: Work): GroupId[][] {
  const due = PRIORITIES.map((): GroupId[] => []);
  const { priorityOf } = work.context;
  for (const { prepareAtMs, sync } of work.activeGroups()) {
    if (prepareAtMs === null || prepareAtMs > work.nowMs) continue;
    due[PRIORITIES.indexOf(priorityOf?.(sync.pact) ?? 'normal')]!.push(sync.id);
  }
  return due;
}

function placesOf(work: Work, due: readonly GroupId[]): Place[] {
  const { settings } = work.context;
  let room = settings.blocksPerMetablockMax;
  const places: Place[] = [];
  for (const id of keepParents(work, due)) {
    const group = work.open(id);
    if (group === undefined) continue;
    const before = headNode(group);
    const blocks = room > 0 ? choosePending(group, room) : [];
    if (blocks.length === 0 && before?.carries !== true) continue;
    room -= blocks.length;
    places.push({ group, before, blocks });
  }
  return withinLeap(places);
}

/** 1 + the highest Generation of all predecessors. */
function deriveGeneration(places: readonly Pick<Place, 'before'>[]): Generation {
  return (Math.max(NO_GENERATION, ...places.map(generationBefore)) + 1) as Generation;
}

function generationBefore({ before }: Pick<Place, 'before'>): Generation {
  return before?.metablock.generation ?? NO_GENERATION;
}

/** The places that one Metablock may take: a chain far below the others' waits for the next one. */
function withinLeap<Some extends Pick<Place, 'before'>>(places: readonly Some[]): Some[] {
  const generation = deriveGeneration(places);
  return places.filter((place) => isNextGeneration(generationBefore(place), generation));
}

/** At most L predecessors, those with the highest Issuing Hashes; ascending by group. */
function keepParents(work: Work, due: readonly GroupId[]): GroupId[] {
  const sorted = due.toSorted();
  const { predecessorsMax } = work.context.settings;
  if (sorted.length <= predecessorsMax) return sorted;
  const hashes = new Uint8Array(ID_BYTES * sorted.length);
  for (const [index, id] of sorted.entries()) {
    const group = work.peek(id);
    const head = group?.head === null ? undefined : group?.nodes.get(group.head);
    if (head !== undefined) hashes.set(fromHex(head.metablock.issuingHash), ID_BYTES * index);
  }
  const chosen = work.context.conflicts.chooseParents(hashes, predecessorsMax);
  return Array.from(chosen, (index) => sorted[index]!).sort();
}

/** Signs a Metablock for these places; stored before it is sent. */
function issue(work: Work, places: readonly Place[]): Metablock {
  const { self, signer, hash } = work.context;
  const body: MetablockBody = {
    generation: deriveGeneration(places),
    predecessors: places.map(({ group, before }) => ({
      group: group.sync.id,
      metablock: before?.metablock.id ?? null,
    })),
    blocks: places.flatMap(({ blocks }) => blocks.map((block) => block.id)),
    issuer: self,
  };
  const metablock = sealMetablock(hash, body, signer.sign(encodeMetablock(body)));
  work.store({ kind: 'store-metablock', metablock });
  work.send({ kind: 'send-metablock', metablock });
  return metablock;
}

function settlePlace(
  work: Work,
  { group, before, blocks }: Place,
  metablock: Metablock,
  preparedBallot: Node['preparedBallot'],
): void {
  const candidate = { metablock, before, blocks };
  const isSound = isWellFormed(work.context.conflicts, group, candidate);
  invariant(isSound, 'an own Metablock is well formed');
  const node = makeNode(group, candidate, work.nowMs);
  addNode(work, group, { ...node, preparedBallot, isStored: true });
}

/**
 * Does the issuer of this Metablock sign its empty child together with it («fast close»)? All who
 * see it Finalizable can then certify the child at once. Under load the next Metablock closes it as
 * soon.
 *
 * @source consensus.md 5.
 */
function isClosedFast(node: Node, settings: ConsensusSettings): boolean {
  return node.carries && node.blocks.length < settings.prepareBlockCount;
}

function closeFast(work: Work, places: readonly Place[], metablock: Metablock): void {
  const closable = places
    .map(({ group }): Place => ({ group, before: nodeOf(group, metablock.id), blocks: [] }))
    .filter(({ before }) => before !== null && isClosedFast(before, work.context.settings));
  const closing = withinLeap(closable);
  if (closing.length === 0) return;
  const child = issue(work, closing);
  for (const place of closing) settlePlace(work, place, child, null);
}

function nodeOf(group: GroupState, id: MetablockId): Node {
  const node = group.nodes.get(id);
  invariant(node !== undefined, 'what was prepared stands in the window');
  return node;
}
