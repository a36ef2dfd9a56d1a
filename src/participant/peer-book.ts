import { createHash } from 'node:crypto';
import { parseTcpUrl } from '../gossip/links/tcp-url.ts';
import { openStore } from '../storage/open-store.ts';
import type { WorldHome } from './home.ts';

/** @throws LinkError LINK_URL */
export function checkPeers(urls: readonly string[]): void {
  for (const url of urls) parseTcpUrl(url, 1);
}

/**
 * Notes links that are dialled from the next start on, while no agent runs.
 * @throws StoreError
 */
export function rememberPeers(world: WorldHome, urls: readonly string[]): void {
  const hash = (bytes: Uint8Array): Uint8Array =>
    Uint8Array.from(createHash('sha256').update(bytes).digest());
  const store = openStore({ file: world.databaseFile, hash });
  try {
    store.transaction(() => {
      for (const url of urls) store.putPeerUrl(url);
    });
  } finally {
    store.close();
  }
}
