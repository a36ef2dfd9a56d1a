import { createHash } from 'node:crypto';
import { splitBudget } from '../gossip/links/budget-url.ts';
import { parseMqttUrl } from '../gossip/links/mqtt-url.ts';
import { parseSerialUrl } from '../gossip/links/serial-url.ts';
import { parseHostAndPort, parseTcpUrl } from '../gossip/links/tcp-url.ts';
import { openStore } from '../storage/open-store.ts';
import type { WorldHome } from './home.ts';

/** What judges the URL of a peer, by the beginning of the URL; TCP where none of them does. */
const JUDGES: readonly (readonly [RegExp, (url: string) => unknown])[] = [
  [/^mqtts?:/, parseMqttUrl],
  [/^serial:/, parseSerialUrl],
  [/^udp:/, (url) => parseHostAndPort('udp', url, 1)],
];

/** @throws LinkError LINK_URL */
export function checkPeers(urls: readonly string[]): void {
  for (const each of urls) {
    const { url } = splitBudget(each);
    const judge = JUDGES.find(([scheme]) => scheme.test(url))?.[1];
    if (judge === undefined) parseTcpUrl(url, 1);
    else judge(url);
  }
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
