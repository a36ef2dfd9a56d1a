/** The only exports of the kernel. */
import { prepareCrcTables } from './crc32';
import { assertLayout } from './layout';
import { prepareHashTables } from './tables';

export {
  areRivals,
  chooseParents,
  firstDuplicate,
  firstGap,
  firstRival,
  isAncestor,
} from './conflict';
export { crc32 } from './crc32';
export {
  CONTEXT,
  CONTEXT_BYTES,
  ENTRY_COUNT_MAX,
  INPUT,
  INPUT_BYTES_MAX,
  ITEM_COUNT_MAX,
  LAYOUT_VERSION,
  LENGTHS,
  NODE_COUNT_MAX,
  OUTPUT,
  RESULT,
} from './layout';
export { pack, packLeaves } from './pack';
export { hashBatch, hashMessage, streamBegin, streamDigest, streamUpdate } from './sha256';

assertLayout();
prepareHashTables();
prepareCrcTables();
