import type { BehaviorId } from '../model/behavior.ts';
import type { HashFunction } from '../model/bytes.ts';
import { compareText } from '../model/bytes.ts';
import { criteriaOf, deriveRank, type Saga, type Stage } from '../model/saga.ts';
import type { Progress } from '../model/saga-progress.ts';
import type { AvatarId, GroupId } from '../model/sync-group.ts';

/** What the runtime asks of the World around it. */
export interface SagaSurroundings {
  readonly self: AvatarId;
  readonly hash: HashFunction;
  /** Owners of a Sync Group, or of what went on from it; none: it is not known. */
  owners(group: GroupId): readonly AvatarId[];
  capabilities(avatar: AvatarId): readonly string[];
  /** Is the Behavior here, and can it be run? */
  hasBehavior(id: BehaviorId): boolean;
}

/** What one invocation is about to do. */
export type NextStep =
  | {
      readonly kind: 'run' | 'undo';
      readonly place: number;
      /** Must it be claimed first? */
      readonly isClaimNeeded: boolean;
      readonly sinceMs: number;
      /** Who can act, first to act first. */
      readonly able: readonly AvatarId[];
      /** When it counts as failed where nothing happens; null: never. */
      readonly failsAtMs: number | null;
      /** What nobody has, in words; null where somebody is able. */
      readonly lacks: string | null;
    }
  /** The Entry that it is to consume has not come. */
  | { readonly kind: 'entry'; readonly place: number; readonly failsAtMs: number | null }
  /** Somebody has claimed to act, and has not said how it went. */
  | {
      readonly kind: 'claimed';
      readonly place: number;
      readonly by: AvatarId;
      readonly failsAtMs: number;
    }
  /** Every Stage that can be undone is undone; only the State that says so is missing. */
  | { readonly kind: 'conclude'; readonly sinceMs: number; readonly able: readonly AvatarId[] };

/** Places that are done, can be undone, and are not: newest first. */
export function toUndo(saga: Saga, progress: Progress): number[] {
  return progress.finished
    .map(({ place }) => place)
    .filter((place) => (saga.stages[place]?.undo ?? null) !== null)
    .filter((place) => !progress.undone.includes(place) && !progress.stuck.includes(place))
    .reverse();
}

/** @param claimMs How long a claim lasts where the Stage does not say. */
export function nextStepOf(
  saga: Saga,
  progress: Progress,
  world: SagaSurroundings,
  claimMs: number,
): NextStep {
  const { kind, place, sinceMs } = progress;
  if (kind === 'began') {
    const within = saga.stages[place]?.withinMs ?? claimMs;
    return { kind: 'claimed', place, by: progress.issuer!, failsAtMs: sinceMs + within };
  }
  if (progress.isFailing) {
    const [newest] = toUndo(saga, progress);
    if (newest === undefined) {
      return { kind: 'conclude', sinceMs, able: inOrder(progress, world, ownersOf(saga, world)) };
    }
    const stage = saga.stages[newest]!;
    const { able, lacks } = ableFor(saga, progress, world, newest);
    return {
      kind: 'undo',
      place: newest,
      isClaimNeeded: stage.isClaimed,
      sinceMs,
      able,
      failsAtMs: null,
      lacks,
    };
  }
  const next = place + 1;
  const stage = saga.stages[next]!;
  const failsAtMs = stage.withinMs === null ? null : sinceMs + stage.withinMs;
  if (progress.consumed === null) return { kind: 'entry', place: next, failsAtMs };
  const { able, lacks } = ableFor(saga, progress, world, next);
  return {
    kind: 'run',
    place: next,
    isClaimNeeded: stage.isClaimed,
    sinceMs: Math.max(sinceMs, progress.consumed.sinceMs),
    able,
    failsAtMs,
    lacks,
  };
}

function ownersOf(saga: Saga, world: SagaSurroundings): readonly AvatarId[] {
  return world.owners(saga.description.state.group);
}

/** May this Avatar act on the Stage, by what it owns and what it has? */
export function isAble(
  saga: Saga,
  stage: Stage,
  avatar: AvatarId,
  world: SagaSurroundings,
): boolean {
  if (!ownersOf(saga, world).includes(avatar)) return false;
  if (stage.produces.some(({ group }) => !world.owners(group).includes(avatar))) return false;
  const has = world.capabilities(avatar);
  if (criteriaOf(stage).some((criterion) => !has.includes(criterion))) return false;
  return avatar !== world.self || world.hasBehavior(stage.behavior);
}

function ableFor(saga: Saga, progress: Progress, world: SagaSurroundings, place: number) {
  const stage = saga.stages[place]!;
  const owners = ownersOf(saga, world);
  const able = owners.filter((avatar) => isAble(saga, stage, avatar, world));
  const lacks = able.length > 0 ? null : lackOf(stage, owners, world);
  return { able: inOrder(progress, world, able), lacks };
}

/** What keeps everybody from acting. */
function lackOf(stage: Stage, owners: readonly AvatarId[], world: SagaSurroundings): string {
  const criteria = criteriaOf(stage);
  const unmet = criteria.filter(
    (each) => !owners.some((avatar) => world.capabilities(avatar).includes(each)),
  );
  if (unmet.length > 0) return `a Participant with ${unmet.join(', ')}`;
  if (criteria.length > 0) return `a Participant with all of ${criteria.join(', ')}`;
  return `an owner of the States and of all that ${stage.name} produces, with its Behavior`;
}

/** In the order in which they act on an invocation's next step. */
export function inOrder(
  progress: Progress,
  world: SagaSurroundings,
  avatars: readonly AvatarId[],
): AvatarId[] {
  const { invocation, step } = progress;
  const ranks = new Map(
    avatars.map((each) => [each, deriveRank(world.hash, invocation, step + 1, each)]),
  );
  return [...avatars].sort((a, b) => compareText(ranks.get(a)!, ranks.get(b)!));
}
