import type { CausalTips } from '../dataflow/block-stack.ts';
import type { Frontier } from '../log/frontier.ts';
import { type Log, logOfProof, makeLog } from '../log/log.ts';
import type { LogName } from '../log/message.ts';
import type { SyncGroup } from '../model/sync-group.ts';
import type { KnownForks } from './known-forks.ts';

/** What tells how the logs stand: how far their Blocks stand here, and which are known to fork. */
export interface LogKnowledge {
  readonly tips: CausalTips;
  readonly forks: KnownForks;
}

/**
 * How one log stands here: it grows to its tip, or ends before its earliest fork that is known.
 * Where that fork lies beyond what is here, it ends where it would.
 */
export function logStateOf({ tips, forks }: LogKnowledge, name: LogName): Log {
  const proof = forks.proof(name.group, name.author);
  if (proof !== null) return logOfProof(proof);
  const tip = tips.tip(name.group, name.author);
  return makeLog(name, tip === null ? null : { id: tip.block, sequence: tip.sequence });
}

/** The logs of all owners of a Sync Group. @source features E10. */
export function frontierOf(known: LogKnowledge, group: SyncGroup): Frontier {
  return group.owners.map((author) => logStateOf(known, { group: group.id, author }));
}
