import { type Block, type BlockId, isHandOver } from '../model/block.ts';
import { fromHex, ID_BYTES } from '../model/bytes.ts';
import { METABLOCK_BLOCKS_MAX, type Metablock, PREDECESSORS_MAX } from '../model/metablock.ts';
import { type Level, NO_GENERATION } from '../model/numbers.ts';
import type { AvatarId } from '../model/sync-group.ts';
import type { Conflicts } from '../ports/conflicts.ts';
import type { GroupState } from './group-state.ts';
import type { ChainTip, Node } from './node.ts';
import { deriveTurn } from './turns.ts';
import { isNextGeneration } from './vote-rules.ts';

/** Do the counts hold, and does no Block stand twice? The same for every group. */
export function hasGoodShape(conflicts: Conflicts, metablock: Metablock): boolean {
  const { predecessors, blocks } = metablock;
  if (predecessors.length === 0 || predecessors.length > PREDECESSORS_MAX) return false;
  if (blocks.length > METABLOCK_BLOCKS_MAX) return false;
  if (blocks.length < 2) return true;
  const ids = new Uint8Array(ID_BYTES * blocks.length);
  for (const [index, id] of blocks.entries()) ids.set(fromHex(id), ID_BYTES * index);
  return conflicts.firstDuplicate(ids) < 0;
}

/** A Metablock whose parts are all here, to be judged for one group. */
export interface Candidate {
  readonly metablock: Metablock;
  /** Its predecessor in the group, null where it names none. */
  readonly before: Node | null;
  /** Its Blocks of the group, in listed order. */
  readonly blocks: readonly Block[];
}

/**
 * Do the Blocks continue every Causal Group of the chain by exactly one each («Is Causally
 * Consistent»)?
 */
function continuesChain(
  conflicts: Conflicts,
  group: GroupState,
  { before, blocks }: Candidate,
): boolean {
  const issuers = new Uint32Array(blocks.length);
  const sequences = new Float64Array(blocks.length);
  const highest = new Float64Array(group.sync.owners.length);
  for (const [index, owner] of group.sync.owners.entries()) {
    highest[index] = before?.issuers.get(owner)?.sequence ?? 0;
  }
  const tips = new Map<AvatarId, string | null>();
  for (const [index, block] of blocks.entries()) {
    const owner = group.ownerIndices.get(block.issuer);
    if (owner === undefined) return false;
    issuers[index] = owner;
    sequences[index] = block.sequence;
    const tip = tips.get(block.issuer) ?? before?.issuers.get(block.issuer)?.block ?? null;
    if (block.previous !== tip) return false;
    tips.set(block.issuer, block.id);
  }
  return conflicts.firstGap(issuers, sequences, highest) < 0;
}

/** A hand-over Block ends its group: it comes last, and only the empty closing child follows. */
function endsOnce({ before, blocks }: Candidate): boolean {
  if (blocks.length > 0 && (before?.handOver ?? null) !== null) return false;
  return blocks.every((block, index) => !isHandOver(block) || index === blocks.length - 1);
}

/**
 * Is the Metablock well formed for the group («Was Certifiable»)? That its issuer owns the group
 * and signed it was judged before. Depends on nothing but the Metablock, its Block Headers and the
 * chain.
 *
 * @source consensus.md 2, rules 1 to 3; features F19 for the hand-over.
 */
export function isWellFormed(
  conflicts: Conflicts,
  group: GroupState,
  candidate: Candidate,
): boolean {
  const { metablock, before, blocks } = candidate;
  const generation = before?.metablock.generation ?? NO_GENERATION;
  if (!isNextGeneration(generation, metablock.generation)) return false;
  if (blocks.length === 0) return before?.carries ?? false;
  return endsOnce(candidate) && continuesChain(conflicts, group, candidate);
}

function handOverIn(blocks: readonly Block[]): BlockId | undefined {
  const last = blocks.at(-1);
  return last !== undefined && isHandOver(last) ? last.id : undefined;
}

/** The node of a Metablock that is well formed for the group. */
export function makeNode(group: GroupState, candidate: Candidate, nowMs: number): Node {
  const { metablock, before, blocks } = candidate;
  const level = ((before?.level ?? -1) + 1) as Level;
  let issuers = before?.issuers ?? new Map<AvatarId, ChainTip>();
  if (blocks.length > 0) {
    const after = new Map(issuers);
    for (const { issuer, sequence, id } of blocks) after.set(issuer, { sequence, block: id });
    issuers = after;
  }
  return {
    metablock,
    predecessor: before?.metablock.id ?? null,
    level,
    turn: deriveTurn(group, metablock.issuer, level),
    blocks,
    carries: blocks.length > 0,
    issuers,
    handOver: handOverIn(blocks) ?? before?.handOver ?? null,
    observedAtMs: nowMs,
    preparedBallot: null,
    tallies: new Map(),
    finalizableBallots: [],
    voteFloor: -1,
    isStored: false,
    isEquivocal: false,
  };
}
