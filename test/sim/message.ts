import type { Block, BlockId } from '../../src/model/block.ts';
import type { BallotNote, Certificate } from '../../src/model/certificate.ts';
import type { Cut } from '../../src/model/cut.ts';
import type { Metablock, MetablockId } from '../../src/model/metablock.ts';
import type { Ballot } from '../../src/model/numbers.ts';
import type { AvatarId, GroupId } from '../../src/model/sync-group.ts';

/** Where a Participant stands in one Sync Group. */
export interface GroupDigest {
  readonly group: GroupId;
  readonly finalizedLevel: number;
  readonly head: MetablockId | null;
  readonly ballot: Ballot;
  readonly isOpen: boolean;
  /** How many Blocks of each issuer stand there without a gap. */
  readonly frontier: ReadonlyMap<AvatarId, number>;
  /** Blocks whose Entries are missing there. */
  readonly lacking: readonly BlockId[];
  /** Issuers whose Causal Group is known to fork, and its last Block before that. */
  readonly forks: ReadonlyMap<AvatarId, number>;
}

/** What travels over a link of the simulation. */
export type Message =
  | {
      readonly kind: 'block';
      readonly block: Block;
      readonly held: boolean;
      /** Of a hand-over Block whose payload is held. */
      readonly payload?: Uint8Array;
    }
  | { readonly kind: 'metablock'; readonly metablock: Metablock }
  | { readonly kind: 'certificate'; readonly certificate: Certificate }
  | { readonly kind: 'ballot-note'; readonly note: BallotNote }
  /** Two Blocks of one issuer that continue the same Block. */
  | { readonly kind: 'fork-proof'; readonly blocks: readonly [Block, Block] }
  | {
      readonly kind: 'cut';
      readonly cut: Cut;
      readonly metablock: Metablock | null;
      /** Liars say so unasked. */
      readonly isAnswer: boolean;
    }
  | {
      readonly kind: 'want';
      readonly metablocks: readonly MetablockId[];
      readonly blocks: readonly BlockId[];
    }
  | {
      readonly kind: 'digest';
      readonly groups: readonly GroupDigest[];
      /** An answer to a digest is not answered. */
      readonly isAnswer: boolean;
    };
