/**
 * The fixed memory map: where every table, scratch area and buffer of the kernel lies.
 *
 * Nothing is ever allocated and memory never grows; a larger input comes in chunks.
 *
 * ```
 * offset     bytes    area             holds
 * 0x000000   0x2000   (compiler)       assertion texts and constants, nothing of ours
 * 0x002000   0x400    ROUND_CONSTANTS  K of SHA-256, each word four times
 * 0x002400   0x80     INITIAL_STATE    H(0) of SHA-256, each word four times
 * 0x002480   0x80     KEEP_MASK        64 times 0xff, 64 times 0x00
 * 0x002500   0x80     PAD_MASK         64 times 0x00, 0x80, 63 times 0x00
 * 0x002580   0x80     LANE_STATE       running state of four lanes, transposed
 * 0x002600   0x100    LANES            four lane records
 * 0x002700   0x200    LANE_TAILS       the last one or two blocks of each lane
 * 0x002900   0x80     TAIL             the last one or two blocks of the scalar hash
 * 0x002980   0x80     CONTEXT          the running hash: state, length, buffered bytes
 * 0x002a00   0x20     STATE            state of the scalar one-shot hash
 * 0x002a40   0x40     IDLE_BLOCK       what a lane without work reads
 * 0x002a80   0x20     RESULT           the digest or Merkle root handed out
 * 0x002b00   0x400    WORDS            message schedule W
 * 0x002f00   0x400    ROUND_WORDS      W + K
 * 0x003400   0x2000   CRC_TABLES       slicing by eight
 * 0x005400   0x10000  NODE_TAILS       W + K of a Merkle node's second block, per last byte
 * 0x015440   0x20000  LEAVES           pending leaf hashes
 * 0x035440   0x20000  SUBTREES         roots of whole runs of LEAF_COUNT_MAX leaves
 * 0x055440   0x40000  LENGTHS          lengths of messages, or issuers of Blocks
 * 0x095480   0x200000 INPUT            what the caller brings
 * 0x295480   0x40     (slack)          vector loads may read past the end of INPUT
 * 0x2954c0   0x200000 OUTPUT           digests, or scratch of the conflict checks
 * 0x4954c0            END
 * ```
 */

/** Raised with every change of an area, an export or its meaning; loading refuses another one. */
export const LAYOUT_VERSION: i32 = 1;

export const COMPILER_END: usize = 0x2000;

export const ROUND_CONSTANTS: usize = 0x2000;
export const INITIAL_STATE: usize = 0x2400;
export const KEEP_MASK: usize = 0x2480;
export const PAD_MASK: usize = 0x2500;
export const LANE_STATE: usize = 0x2580;
export const LANES: usize = 0x2600;
export const LANE_TAILS: usize = 0x2700;
export const TAIL: usize = 0x2900;
export const CONTEXT: usize = 0x2980;
export const STATE: usize = 0x2a00;
export const IDLE_BLOCK: usize = 0x2a40;
export const RESULT: usize = 0x2a80;
export const WORDS: usize = 0x2b00;
export const ROUND_WORDS: usize = 0x2f00;
export const CRC_TABLES: usize = 0x3400;
export const NODE_TAILS: usize = 0x5400;
export const LEAVES: usize = 0x15440;
export const SUBTREES: usize = 0x35440;
export const LENGTHS: usize = 0x55440;
export const INPUT: usize = 0x95480;
export const OUTPUT: usize = 0x2954c0;
export const END: usize = 0x4954c0;

/** Bytes of one SHA-256 digest, id or Issuing Hash. */
export const DIGEST_BYTES: usize = 32;
/** Bytes of one SHA-256 block. */
export const BLOCK_BYTES: usize = 64;
/** Bytes of CONTEXT that a running hash needs: 32 state, 8 length, 64 buffer. */
export const CONTEXT_BYTES: usize = 104;
/** Bytes that one call takes in at most. */
export const INPUT_BYTES_MAX: usize = 0x200000;
/** Messages, ids or Blocks that one call takes in at most. */
export const ITEM_COUNT_MAX: i32 = 0x10000;
/** Nodes of a window, four bytes each. */
export const NODE_COUNT_MAX: i32 = 0x80000;
/** Leaf hashes that are pending at most: a power of two, so that each full run is one subtree. */
export const LEAF_COUNT_MAX: i32 = 0x1000;
/** Entries of one payload: LEAF_COUNT_MAX full subtrees. */
export const ENTRY_COUNT_MAX: i32 = LEAF_COUNT_MAX * LEAF_COUNT_MAX;

/** Asserts that no area reaches into the next one. */
export function assertLayout(): void {
  assert(__heap_base <= COMPILER_END, 'constants of the compiler reach into the memory map');
  assert(NODE_TAILS + 256 * 256 <= LEAVES - 1, 'LEAVES needs a byte before it');
  assert(LEAVES + (LEAF_COUNT_MAX as usize) * DIGEST_BYTES <= SUBTREES, 'LEAVES too long');
  assert(SUBTREES + (LEAF_COUNT_MAX as usize) * DIGEST_BYTES <= LENGTHS, 'SUBTREES too long');
  assert(LENGTHS + 4 * (ITEM_COUNT_MAX as usize) <= INPUT - 1, 'INPUT needs a byte before it');
  assert((NODE_COUNT_MAX as usize) * 4 <= INPUT_BYTES_MAX, 'a window does not fit into INPUT');
  assert(INPUT + INPUT_BYTES_MAX + BLOCK_BYTES <= OUTPUT, 'INPUT needs a block after it');
  assert(OUTPUT + (ITEM_COUNT_MAX as usize) * DIGEST_BYTES <= END, 'OUTPUT too long');
  assert(END <= (memory.size() as usize) << 16, 'memory is smaller than the memory map');
}
