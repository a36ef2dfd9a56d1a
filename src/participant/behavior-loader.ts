import type { Behavior, BehaviorId } from '../model/behavior.ts';
import type { LoadedBehavior, LoadRefusal, Sandbox } from '../ports/sandbox.ts';
import type { Logger } from './log.ts';

/** Pauses between two trials to load what is refused: they double from the one to the other. */
export const PAUSE_MS = { first: 1000, last: 60_000 } as const;
/** Trials after which code that is refused counts as code that cannot be run. */
export const TRIALS_MAX = 6;

export interface BehaviorLoaderParts {
  readonly sandbox: Pick<Sandbox, 'load'>;
  readonly log: Pick<Logger, 'warn'>;
  readonly nowMs: () => number;
}

/**
 * `later`: not now, and the next trial is not due before `loader.pauseMs`. `never`: the code is
 * refused for good, with the reason.
 */
export type Loading =
  | { readonly kind: 'loaded'; readonly behavior: LoadedBehavior }
  | { readonly kind: 'later' }
  | { readonly kind: 'never'; readonly reason: string };

interface Trouble {
  readonly refusal: LoadRefusal;
  readonly reason: string;
  readonly trials: number;
  readonly againAtMs: number;
}

/** Loads Behaviors, with patience where they are refused: said once, and tried ever more seldom. */
export class BehaviorLoader {
  private readonly parts: BehaviorLoaderParts;
  /** At most one of each known Behavior. */
  private readonly troubles = new Map<BehaviorId, Trouble>();
  private readonly underWay = new Map<BehaviorId, Promise<Loading>>();

  constructor(parts: BehaviorLoaderParts) {
    this.parts = parts;
  }

  /** @param read Reads its code; asked only where it is loaded. Null: it is not here. */
  load(id: BehaviorId, read: () => Behavior | null): Promise<Loading> {
    const trouble = this.troubles.get(id);
    if (trouble !== undefined && this.parts.nowMs() < trouble.againAtMs) {
      return Promise.resolve(standing(trouble));
    }
    const known = this.underWay.get(id);
    if (known !== undefined) return known;
    const behavior = read();
    if (behavior === null) return Promise.resolve({ kind: 'later' });
    const loading = this.tryOnce(behavior).finally(() => this.underWay.delete(id));
    this.underWay.set(id, loading);
    return loading;
  }

  /** Milliseconds until it is tried again; 0 where it was not refused. */
  pauseMs(id: BehaviorId): number {
    const trouble = this.troubles.get(id);
    return trouble === undefined ? 0 : Math.max(0, trouble.againAtMs - this.parts.nowMs());
  }

  /** Why it does not load, in words; null where it does, or nobody tried. */
  troubleOf(id: BehaviorId): string | null {
    return this.troubles.get(id)?.reason ?? null;
  }

  private async tryOnce(behavior: Behavior): Promise<Loading> {
    const { sandbox, log, nowMs } = this.parts;
    const { id, name } = behavior;
    const loaded = await sandbox.load(behavior);
    if (loaded.ok) {
      this.troubles.delete(id);
      return { kind: 'loaded', behavior: loaded.value };
    }
    const before = this.troubles.get(id);
    const { reason: refusal, detail = '' } = loaded;
    const reason = detail === '' ? refusal : `${refusal}: ${detail}`;
    const isSame = before?.refusal === refusal;
    if (!isSame) log.warn('behavior-refused', { behavior: name, reason: refusal, detail });
    const trials = isSame ? before.trials + 1 : 1;
    const pauseMs = Math.min(PAUSE_MS.last, PAUSE_MS.first * 2 ** Math.min(trials - 1, 16));
    const trouble = { refusal, reason, trials, againAtMs: nowMs() + pauseMs };
    this.troubles.set(id, trouble);
    const outcome = standing(trouble);
    if (outcome.kind === 'never' && trials === TRIALS_MAX) {
      log.warn('behavior-refused', { behavior: name, reason: refusal, detail, trials });
    }
    return outcome;
  }
}

/** An engine that is missing says nothing of the code: another Participant may have it. */
function standing({ refusal, reason, trials }: Trouble): Loading {
  if (refusal === 'not-available' || trials < TRIALS_MAX) return { kind: 'later' };
  return { kind: 'never', reason };
}
