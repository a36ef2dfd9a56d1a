import type { LogHistory, LogMessage, LogName, MessageId } from '../log/message.ts';
import { judgeMessage, type MessageVerdict } from '../log/message-validity.ts';
import type { Block } from '../model/block.ts';
import type { CausalSequence } from '../model/numbers.ts';
import type { AvatarId, GroupId } from '../model/sync-group.ts';
import type { Core } from './core.ts';
import type { Turn } from './turn.ts';

/** Block Headers kept at hand: what Blocks that come now depend on came a moment ago. */
const RECENT_MAX = 1_024;

/** Look-ups that one Block may cost; one that takes more is not held against its author. */
const STEPS_MAX = 256;

const VALID: MessageVerdict = { kind: 'valid' };

/**
 * Judges Blocks by the rules of the log that they continue, over what is known here. What is not
 * known says nothing against anybody, so Participants may differ: a Block that is invalid here was
 * perhaps stacked where less was known.
 *
 * @source features E2.
 */
export class Judging {
  private readonly core: Core;
  private readonly recent = new Map<MessageId, LogMessage>();
  /** Which of them stands at a place of its log; of a forked log nobody is judged by it. */
  private readonly places = new Map<string, MessageId>();

  constructor(core: Core) {
    this.core = core;
  }

  /**
   * @param block Its signature holds, and it continues its Causal Group as it stands here.
   */
  judge(turn: Turn, block: Block): MessageVerdict {
    // M1 and M2 hold of what continues the Causal Group, and all other rules are on dependencies.
    if (block.dependencies.length === 0) return VALID;
    const ground = { history: this.historyIn(turn), verifier: null };
    const verdict = judgeMessage(block, ground, STEPS_MAX);
    if (verdict.kind !== 'invalid' || verdict.fault !== 'dependency-backwards') return verdict;
    // Who depended on one branch of a forked log, and took over a cut of another, does not lie.
    const isForked = verdict.witnesses.some(
      ({ issuer }) => issuer !== block.issuer && turn.forks.proof(block.group, issuer) !== null,
    );
    return isForked ? VALID : verdict;
  }

  /** Keeps at hand what is stacked now. */
  remember(block: LogMessage): void {
    this.recent.set(block.id, block);
    this.places.set(placeOf(block.group, block.issuer, block.sequence), block.id);
    if (this.recent.size > RECENT_MAX) this.forget(this.recent.values().next().value!);
  }

  private forget({ id, group, issuer, sequence }: LogMessage): void {
    this.recent.delete(id);
    const place = placeOf(group, issuer, sequence);
    if (this.places.get(place) === id) this.places.delete(place);
  }

  private historyIn(turn: Turn): LogHistory {
    return {
      message: (id) => this.message(id),
      trunkAt: (log, sequence) => this.trunkAt(turn, log, sequence),
    };
  }

  private message(id: MessageId): LogMessage | undefined {
    const recent = this.recent.get(id);
    if (recent !== undefined) return recent;
    const block = this.core.store.block(id)?.block;
    if (block !== undefined) this.remember(block);
    return block;
  }

  private trunkAt(turn: Turn, log: LogName, sequence: CausalSequence): MessageId | undefined {
    const tip = turn.tips.tip(log.group, log.author);
    if (tip === null || tip.sequence < sequence) return undefined;
    if (tip.sequence === sequence) return tip.block;
    const recent = this.places.get(placeOf(log.group, log.author, sequence));
    if (recent !== undefined) return recent;
    const [there] = this.core.store.blocks(log.group, log.author, sequence, 1);
    return there?.block.sequence === sequence ? there.block.id : undefined;
  }
}

function placeOf(group: GroupId, author: AvatarId, sequence: CausalSequence): string {
  return `${group}${author}${sequence}`;
}
