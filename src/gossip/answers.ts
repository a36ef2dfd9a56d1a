import type { BlockId } from '../model/block.ts';
import type { Hex32 } from '../model/bytes.ts';
import { cutSequenceOf } from '../model/cut.ts';
import type { CausalSequence, Level } from '../model/numbers.ts';
import type { GroupId } from '../model/sync-group.ts';
import type { GossipItem } from './item.ts';
import type { Lane, Message, Range } from './messages.ts';
import type { GossipSettings } from './settings.ts';
import type { ChainStep, GossipSource, GroupDigest } from './source.ts';

export interface Outgoing {
  readonly lane: Lane;
  readonly message: Message;
}

/** Made step by step, as the link takes it: nothing but the step in hand is in memory. */
export type Answer = Generator<Outgoing, void, undefined>;

export type ChunkSettings = Pick<GossipSettings, 'chunkBytes' | 'chunkBlocks' | 'chunkMetablocks'>;

/** Steps read from the source at once. */
const STEPS = 16;

/**
 * A chunk that finds no Metablock at which it could end goes on for so many times its length. Where
 * Certificates were kept at the end of each chunk it never needs more than twice.
 */
const UNPROVABLE_FACTOR = 8;

function answer(item: GossipItem): Outgoing {
  return { lane: 'bulk', message: { kind: 'item', item, answer: true } };
}

/** Blocks by id; what is not here is named at the end. */
export function* answerBlocks(source: GossipSource, ids: readonly BlockId[]): Answer {
  const missing: Hex32[] = [];
  for (const id of ids) {
    const block = source.block(id);
    if (block === null) missing.push(id);
    else yield answer({ kind: 'block', block, payload: source.payload(id) });
  }
  if (missing.length > 0) yield { lane: 'bulk', message: { kind: 'not-found', ids: missing } };
}

/** Metablocks by id, each with the Certificates kept for it. Votes wait for these: urgent. */
export function* answerMetablocks(source: GossipSource, ids: readonly Hex32[]): Answer {
  const missing: Hex32[] = [];
  for (const id of ids) {
    const metablock = source.metablock(id);
    if (metablock === null) {
      missing.push(id);
      continue;
    }
    yield urgent({ kind: 'metablock', metablock });
    for (const certificate of source.certificates(id)) {
      yield urgent({ kind: 'certificate', certificate });
    }
  }
  if (missing.length > 0) yield { lane: 'urgent', message: { kind: 'not-found', ids: missing } };
}

/** The fork proofs of a group. Votes may hang on them: urgent. */
export function* answerForks(source: GossipSource, group: GroupId): Answer {
  for (const proof of source.forks(group)) yield urgent({ kind: 'fork-proof', proof });
}

function urgent(item: GossipItem): Outgoing {
  return { lane: 'urgent', message: { kind: 'item', item, answer: true } };
}

/** One chunk of a range, and the position at which the next begins. */
export function answerRange(source: GossipSource, range: Range, settings: ChunkSettings): Answer {
  return range.range === 'causal'
    ? answerCausal(source, range, settings)
    : new ChainAnswer(source, range.group, settings).from(range.from);
}

function* answerCausal(
  source: GossipSource,
  range: Range & { range: 'causal' },
  settings: ChunkSettings,
): Answer {
  const { group, issuer } = range;
  let next: number = range.from;
  let bytes = 0;
  let count = 0;
  const beginning = source.beginning(group);
  const below = cutSequenceOf(beginning?.cut ?? null, issuer);
  if (beginning !== null && next <= below) {
    yield answer({ kind: 'cut', ...beginning });
    next = below + 1;
  }
  while (bytes < settings.chunkBytes && count < settings.chunkBlocks) {
    const blocks = source.causal(group, issuer, next as CausalSequence, STEPS);
    for (const block of blocks) {
      const payload = source.payload(block.id);
      yield answer({ kind: 'block', block, payload });
      next = block.sequence + 1;
      count += 1;
      bytes += block.bytes.length + (payload?.length ?? 0);
      if (bytes >= settings.chunkBytes || count >= settings.chunkBlocks) break;
    }
    if (blocks.length === 0) break;
  }
  const tip = digestOf(source, group)?.issuers.find((each) => each.issuer === issuer);
  const end = Math.max(next, (tip?.sequence ?? 0) + 1);
  const range_ = { range: 'causal', group, issuer } as const;
  yield { lane: 'bulk', message: { kind: 'chunk-end', ...range_, next, end } };
}

function digestOf(source: GossipSource, group: GroupId): GroupDigest | undefined {
  return source.digest().find((each) => each.group === group);
}

/**
 * The chain of one group from a Level on: of each Metablock its Blocks, then itself. A chunk ends
 * at a Metablock whose Certificates prove it, and these follow; the last one goes on with what is
 * open.
 */
class ChainAnswer {
  private readonly source: GossipSource;
  private readonly group: GroupId;
  private readonly settings: ChunkSettings;
  private bytes = 0;
  private blocks = 0;
  private metablocks = 0;

  constructor(source: GossipSource, group: GroupId, settings: ChunkSettings) {
    this.source = source;
    this.group = group;
    this.settings = settings;
  }

  *from(from: Level): Answer {
    let next: number = from;
    const beginning = this.source.beginning(this.group);
    if (beginning !== null && next <= beginning.cut.level) {
      yield answer({ kind: 'cut', ...beginning });
      next = beginning.cut.level + 1;
    }
    for (;;) {
      const steps = this.source.chain(this.group, next as Level, STEPS);
      for (const step of steps) {
        yield* this.step(step);
        next = step.level + 1;
        if (!this.endsAt(step)) continue;
        yield* this.certificates(step);
        yield this.end(next);
        return;
      }
      if (steps.length === 0) break;
    }
    // They come before what an owner may have made anew because of them.
    yield* answerForks(this.source, this.group);
    for (const step of this.source.open(this.group)) {
      yield* this.step(step);
      yield* this.certificates(step);
    }
    yield this.end(next);
  }

  private *step(step: ChainStep): Answer {
    for (const id of step.blocks) {
      const block = this.source.block(id);
      if (block === null) continue;
      const payload = this.source.payload(id);
      this.bytes += block.bytes.length + (payload?.length ?? 0);
      this.blocks += 1;
      yield answer({ kind: 'block', block, payload });
    }
    this.bytes += step.metablock.bytes.length;
    this.metablocks += 1;
    yield answer({ kind: 'metablock', metablock: step.metablock });
    if (step.cut !== null) yield answer({ kind: 'cut', cut: step.cut, metablock: null });
  }

  private *certificates(step: ChainStep): Answer {
    for (const certificate of this.source.certificates(step.metablock.id)) {
      yield answer({ kind: 'certificate', certificate });
    }
  }

  private endsAt(step: ChainStep): boolean {
    const { chunkBytes, chunkBlocks, chunkMetablocks } = this.settings;
    const used = Math.max(
      this.bytes / chunkBytes,
      this.blocks / chunkBlocks,
      this.metablocks / chunkMetablocks,
    );
    return used >= (step.provable ? 1 : UNPROVABLE_FACTOR);
  }

  private end(next: number): Outgoing {
    const finalized = digestOf(this.source, this.group)?.finalized ?? null;
    const end = Math.max(next, finalized === null ? 0 : finalized.level + 1);
    const range = { range: 'chain', group: this.group, issuer: null } as const;
    return { lane: 'bulk', message: { kind: 'chunk-end', ...range, next, end } };
  }
}
