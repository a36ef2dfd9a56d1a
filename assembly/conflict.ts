/**
 * Conflict checks of the SIC-DAG over packed sets: windows of one Sync Group's tree of Metablocks,
 * ids of 32 bytes, causal sequences.
 *
 * A window of `count` nodes lies in INPUT: node `i` has the predecessor `i32` at `INPUT + 4i`, an
 * index below `i`, or -1 where the window begins.
 */
import { idAt, isEqualId, sortDescending } from './id-order';
import { INPUT, ITEM_COUNT_MAX, LENGTHS, NODE_COUNT_MAX, OUTPUT } from './layout';

const NONE: i32 = -1;

/** Marks of `firstRival`. */
const ANCESTOR: u8 = 1;
const DESCENDANT: u8 = 2;

/** Is `ancestor` on the way from `descendant` to its root? A node is not its own ancestor. */
export function isAncestor(count: i32, ancestor: i32, descendant: i32): bool {
  assertNode(count, ancestor);
  assertNode(count, descendant);
  if (ancestor == descendant) return false;
  let node = descendant;
  // Predecessors have lower indices: below `ancestor` there is nothing to find.
  while (node > ancestor) node = predecessorOf(node);
  return node == ancestor;
}

/** Neither the same node, nor one an ancestor of the other. */
export function areRivals(count: i32, a: i32, b: i32): bool {
  if (a == b) {
    assertNode(count, a);
    return false;
  }
  return a < b ? !isAncestor(count, a, b) : !isAncestor(count, b, a);
}

/** The first node of the window that is a rival of `judged`, or -1. */
export function firstRival(count: i32, judged: i32): i32 {
  assertNode(count, judged);
  memory.fill(OUTPUT, 0, count as usize);
  for (let node = predecessorOf(judged); node != NONE; node = predecessorOf(node)) {
    store<u8>(OUTPUT + (node as usize), ANCESTOR);
  }
  store<u8>(OUTPUT + (judged as usize), DESCENDANT);
  for (let node = 0; node < count; node++) {
    if (load<u8>(OUTPUT + (node as usize)) != 0) continue;
    const before = predecessorOf(node);
    if (before == NONE || load<u8>(OUTPUT + (before as usize)) != DESCENDANT) return node;
    store<u8>(OUTPUT + (node as usize), DESCENDANT);
  }
  return NONE;
}

/** The index of the first of `count` ids in INPUT that stands a second time, or -1. */
export function firstDuplicate(count: i32): i32 {
  const order = sortDescending(count);
  let first = NONE;
  for (let i = 1; i < count; i++) {
    const id = idAt(order, i);
    // The sort is stable: in a run of equal ids, each but the lowest index is a second standing.
    if (isEqualId(idAt(order, i - 1), id) && (first == NONE || id < first)) first = id;
  }
  return first;
}

/**
 * The first of `count` Blocks whose causal sequence is not one above its issuer's highest, or -1.
 *
 * Issuers (u32) lie in LENGTHS, sequences (f64) in INPUT, and the highest sequence of each of
 * `issuerCount` issuers (f64) in OUTPUT, where they are counted on.
 */
export function firstGap(count: i32, issuerCount: i32): i32 {
  assert(<u32>count <= <u32>ITEM_COUNT_MAX, 'more Blocks than LENGTHS holds');
  assert(<u32>issuerCount <= <u32>ITEM_COUNT_MAX, 'more issuers than OUTPUT holds');
  for (let i = 0; i < count; i++) {
    const issuer = load<u32>(LENGTHS + 4 * (i as usize));
    assert(issuer < (issuerCount as u32), 'issuer out of bounds');
    const highest = OUTPUT + 8 * (issuer as usize);
    const sequence = load<f64>(INPUT + 8 * (i as usize));
    if (sequence != load<f64>(highest) + 1) return i;
    store<f64>(highest, sequence);
  }
  return NONE;
}

/**
 * Chooses the highest of `count` Issuing Hashes in INPUT, at most `max`, ties to the lower index.
 * @returns how many; their indices (u32) lie in OUTPUT, highest Issuing Hash first.
 */
export function chooseParents(count: i32, max: i32): i32 {
  assert(max >= 0, 'negative number of parents');
  const chosen = min(count, max);
  const order = sortDescending(count);
  if (order != OUTPUT) memory.copy(OUTPUT, order, 4 * (chosen as usize));
  return chosen;
}

function assertNode(count: i32, node: i32): void {
  assert(<u32>count <= <u32>NODE_COUNT_MAX, 'window longer than INPUT');
  assert(<u32>node < <u32>count, 'node outside the window');
}

function predecessorOf(node: i32): i32 {
  const before = load<i32>(INPUT + 4 * (node as usize));
  assert(before >= NONE && before < node, 'predecessor not below its node');
  return before;
}
