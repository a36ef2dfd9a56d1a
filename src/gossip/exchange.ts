import type { Hex32 } from '../model/bytes.ts';
import type { GroupId } from '../model/sync-group.ts';
import type { Digest, GroupDigest } from './source.ts';

/** Groups of one peer's digest that are remembered, and issuers in all of them: some 16 MiB. */
const GROUPS_MAX = 16_384;
const ISSUERS_MAX = 65_536;

/** What one peer and we told each other of where we stand. */
export interface Exchange {
  /** Hash of their digest, as last heard. */
  theirs: Hex32 | null;
  readonly groups: Map<GroupId, GroupDigest>;
  /** In all groups. */
  issuerCount: number;
  /** Hash of ours, as last told in short, and in full. */
  toldShort: Hex32 | null;
  toldShortMs: number;
  toldFull: Hex32 | null;
  toldFullMs: number;
  /** Hash of theirs when we last told all of ours, which asks for all of theirs. */
  askedAbout: Hex32 | null;
  /** When the hash that was held back is told; null if none was. */
  owedMs: number | null;
  /** Of a terse link: what was said of each group on it, by whomever last. */
  readonly said: Map<GroupId, string>;
  /** When to see whether a difference lasted; null if there is none. */
  compareMs: number | null;
  /** When to fetch what their full digest showed. */
  planMs: number | null;
  fresh: boolean;
}

/** The groups of which the two have not said this very thing on this link. */
export function newsOf({ said }: Exchange, digest: Digest): Digest {
  const news = digest.filter((each) => said.get(each.group) !== markOf(each));
  for (const each of news) said.set(each.group, markOf(each));
  return news;
}

/** The same for two places in a group exactly when they are the same. */
export function markOf({ group, finalized, head, issuers }: GroupDigest): string {
  const tips = issuers.map((each) => `${each.issuer} ${each.sequence} ${each.block} ${each.fork}`);
  return [group, finalized?.level, finalized?.metablock, head, ...tips].join();
}

/** Beyond the bounds what was told first stays. */
export function remember(exchange: Exchange, told: GroupDigest): void {
  const before = exchange.groups.get(told.group);
  const issuerCount = exchange.issuerCount + told.issuers.length - (before?.issuers.length ?? 0);
  if (issuerCount > ISSUERS_MAX) return;
  if (before === undefined && exchange.groups.size >= GROUPS_MAX) return;
  exchange.groups.set(told.group, told);
  exchange.issuerCount = issuerCount;
}
