// A folder for what a benchmark writes: on the disk of the checkout, because a temporary folder may
// lie in memory, where syncing costs nothing.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../.ci/preflight.mjs';

/** Runs `work` with a fresh folder that is gone afterwards. */
export async function withScratchFolder(work) {
  const cache = join(root, '.cache');
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, 'bench-'));
  const clear = () => rmSync(folder, { recursive: true, force: true });
  process.once('exit', clear);
  const stop = () => process.exit(130);
  process.once('SIGINT', stop).once('SIGTERM', stop);
  try {
    return await work(folder);
  } finally {
    clear();
    process.off('exit', clear).off('SIGINT', stop).off('SIGTERM', stop);
  }
}
