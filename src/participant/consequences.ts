import type { Block } from '../model/block.ts';
import type { AvatarId, SyncGroup } from '../model/sync-group.ts';
import type { DecodedEntries } from '../ports/store.ts';
import type { Core } from './core.ts';
import type { Cutting } from './cutting.ts';
import { Deploying } from './deploying.ts';
import type { Chain, ProjectingEvents } from './projecting.ts';
import { Succeeding, type SucceedingParts } from './succeeding.ts';
import type { Turn } from './turn.ts';

/** What follows from finality: what the built-in Pacts say, and Sync Groups that end. */
export class Consequences implements ProjectingEvents {
  readonly succeeding: Succeeding;
  private readonly deploying: Deploying;
  private readonly cutting: Cutting;

  constructor(core: Core, parts: SucceedingParts & { readonly cutting: Cutting }) {
    this.cutting = parts.cutting;
    this.succeeding = new Succeeding(core, parts);
    this.deploying = new Deploying(core, (turn, group) => {
      if (group.owners.length > 1) parts.deciding().run(turn, { kind: 'group', group });
      this.succeeding.observeGroup(turn, group);
    });
  }

  /** After a start: what was said is known again. */
  recall(turn: Turn): void {
    this.deploying.recall(turn);
    this.succeeding.recall(turn);
  }

  builtIn(turn: Turn, entries: DecodedEntries, issuer: AvatarId): void {
    this.deploying.observe(turn, entries);
    this.succeeding.observe(turn, entries, issuer);
  }

  moved(turn: Turn, group: SyncGroup, chain: Chain): void {
    this.cutting.onFinal(turn, group, chain);
  }

  handOver(turn: Turn, group: SyncGroup, block: Block): void {
    this.succeeding.observeHandOver(turn, group, block);
  }
}
