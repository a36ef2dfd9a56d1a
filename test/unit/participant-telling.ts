import { type Answer, answerRange } from '../../src/gossip/answers.ts';
import type { GossipItem } from '../../src/gossip/item.ts';
import { GOSSIP_SETTINGS } from '../../src/gossip/settings.ts';
import type { CausalSequence, Level } from '../../src/model/numbers.ts';
import type { AvatarId, GroupId } from '../../src/model/sync-group.ts';
import type { Agent } from '../../src/participant/agent.ts';

function itemsOf(answer: Answer): GossipItem[] {
  return [...answer].flatMap(({ message }) => (message.kind === 'item' ? [message.item] : []));
}

/** All that `from` answers to whoever has nothing, or stands at this Level. */
export function answersOf(from: Agent, level = 0): GossipItem[] {
  const items: GossipItem[] = [];
  for (const digest of from.source.digest()) {
    const group = digest.group as GroupId;
    const isShared = digest.finalized !== null;
    if (isShared) {
      const range = { range: 'chain', group, from: level as Level } as const;
      const chunk = { ...GOSSIP_SETTINGS, chunkMetablocks: 1e9, chunkBytes: 1e9, chunkBlocks: 1e9 };
      items.push(...itemsOf(answerRange(from.source, range, chunk)));
      continue;
    }
    for (const { issuer } of digest.issuers) {
      const range = { range: 'causal', group, issuer, from: 1 as CausalSequence } as const;
      items.push(...itemsOf(answerRange(from.source, range, GOSSIP_SETTINGS)));
    }
  }
  return items;
}

/** What a peer answers comes to `to`. */
export function hear(to: Agent, from: string, items: readonly GossipItem[]): void {
  to.onItems(items.map((item) => ({ item, from: from as AvatarId, answer: true })));
}

export function tell(from: Agent, to: Agent, level = 0): void {
  hear(to, from.avatar, answersOf(from, level));
}
