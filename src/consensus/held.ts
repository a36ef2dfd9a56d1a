import type { BlockId } from '../model/block.ts';
import type { Certificate } from '../model/certificate.ts';
import type { MetablockId } from '../model/metablock.ts';
import type { AvatarId } from '../model/sync-group.ts';
import { isAvailable } from './chain.ts';
import { type Ask, type GroupState, type Held, predecessorIn } from './group-state.ts';
import { isOpen } from './pacemaker.ts';
import { CONSENSUS_LIMITS } from './settings.ts';
import type { Work } from './work.ts';

/**
 * What one owner may take of the bound of a group, so that nobody's flood pushes out the others.
 */
export function shareOf(work: Work, group: GroupState): number {
  const share = Math.floor(work.context.settings.heldMax / group.sync.owners.length);
  return Math.max(CONSENSUS_LIMITS.undecidedMin, share);
}

/** Keeps a Metablock until what it names is here. */
export function hold(work: Work, group: GroupState, held: Held): void {
  const { id } = held.metablock;
  group.held.set(id, held);
  askFor(work, group, id);
}

/** Asks for what concerns this Metablock, soon; it may be on its way. */
export function askFor(work: Work, group: GroupState, id: MetablockId): void {
  if (group.asks.has(id)) return;
  group.asks.set(id, { atMs: work.nowMs + CONSENSUS_LIMITS.wantDelayMs, attempts: 0 });
}

/** Keeps a Certificate for a Metablock that is not in the window; of each certifier so many. */
export function holdCertificate(work: Work, group: GroupState, certificate: Certificate): void {
  const { certifier, metablock } = certificate;
  const held = group.heldCertificates.get(metablock) ?? [];
  group.heldCertificates.set(metablock, [...held, certificate]);
  if (!group.held.has(metablock)) askFor(work, group, metablock);
  const places: MetablockId[] = [];
  for (const [id, certificates] of group.heldCertificates) {
    for (const each of certificates) if (each.certifier === certifier) places.push(id);
  }
  if (places.length > shareOf(work, group)) dropCertificate(group, places[0]!, certifier);
}

function dropCertificate(group: GroupState, id: MetablockId, certifier: AvatarId): void {
  const certificates = group.heldCertificates.get(id) ?? [];
  const oldest = certificates.findIndex((each) => each.certifier === certifier);
  const left = certificates.filter((_each, index) => index !== oldest);
  if (left.length > 0) {
    group.heldCertificates.set(id, left);
    return;
  }
  group.heldCertificates.delete(id);
  if (!group.held.has(id)) group.asks.delete(id);
}

/** Do so many owners vote for it that an honest one is among them? */
export function isVouchedFor(group: Readonly<GroupState>, id: MetablockId): boolean {
  const certificates = group.heldCertificates.get(id) ?? [];
  return new Set(certificates.map((each) => each.certifier)).size > group.faults;
}

/** The earliest time at which something is asked for, or null. */
export function nextAskMs(group: GroupState): number | null {
  let earliest: number | null = null;
  for (const { atMs } of group.asks.values()) {
    if (earliest === null || atMs < earliest) earliest = atMs;
  }
  return earliest;
}

/** Asks for what is due, again after twice the time; what was asked for often enough is dropped. */
export function askAgain(work: Work, group: GroupState): void {
  const metablocks = new Set<MetablockId>();
  const blocks = new Set<BlockId>();
  for (const [id, ask] of [...group.asks]) {
    if (ask.atMs > work.nowMs) continue;
    const isMissing = gather(group, id, { metablocks, blocks });
    const isSpent = ask.attempts >= CONSENSUS_LIMITS.wantAttemptsMax && !isNeeded(work, group, id);
    if (!isMissing || isSpent) {
      group.asks.delete(id);
      if (isMissing) dropHeld(group, id);
      continue;
    }
    group.asks.set(id, later(ask, work.nowMs));
  }
  if (metablocks.size + blocks.size === 0) return;
  const max = CONSENSUS_LIMITS.wantIdsMax;
  work.send({
    kind: 'want',
    group: group.sync.id,
    metablocks: [...metablocks].slice(0, max),
    blocks: [...blocks].slice(0, max),
  });
}

/**
 * Is there no vote without it; or an honest one for it, while something is open here? What honest
 * owners voted for may have come to nothing and be gone from every disk, or be final below a cut.
 * Where nothing is open, who stands further on says so in its digest.
 */
function isNeeded(work: Work, group: GroupState, id: MetablockId): boolean {
  if (group.nodes.has(id) || group.lock?.metablock === id) return true;
  return isVouchedFor(group, id) && isOpen(work, group);
}

function later(ask: Ask, nowMs: number): Ask {
  const { wantRetryMs, wantRetryMaxMs } = CONSENSUS_LIMITS;
  const waitMs = Math.min(wantRetryMaxMs, wantRetryMs * 2 ** ask.attempts);
  return { atMs: nowMs + waitMs, attempts: ask.attempts + 1 };
}

function dropHeld(group: GroupState, id: MetablockId): void {
  group.held.delete(id);
  group.heldCertificates.delete(id);
}

/** Adds what is missing for one Metablock. @returns whether anything is. */
function gather(
  group: GroupState,
  id: MetablockId,
  missing: { readonly metablocks: Set<MetablockId>; readonly blocks: Set<BlockId> },
): boolean {
  const node = group.nodes.get(id);
  if (node !== undefined) {
    if (!group.isVoter || node.finalizableBallots.length > 0) return false;
    const lacking = node.blocks.filter((block) => !isAvailable(group, block));
    for (const block of lacking) missing.blocks.add(block.id);
    return lacking.length > 0;
  }
  const held = group.held.get(id);
  if (held === undefined) {
    const isWanted = group.heldCertificates.has(id) || group.lock?.metablock === id;
    if (isWanted) missing.metablocks.add(id);
    return isWanted;
  }
  for (const block of held.missingBlocks) missing.blocks.add(block);
  const before = predecessorIn(held.metablock, group.sync.id) ?? null;
  // Far behind, what is missing comes by catching up from below, not step by step from above.
  const isNear = group.held.size <= CONSENSUS_LIMITS.wantChainMax;
  if (held.lacksPredecessor && before !== null && isNear && !group.held.has(before)) {
    missing.metablocks.add(before);
  }
  return true;
}
