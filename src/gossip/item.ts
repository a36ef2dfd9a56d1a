import type { Block } from '../model/block.ts';
import type { BallotNote, Certificate } from '../model/certificate.ts';
import type { Metablock } from '../model/metablock.ts';
import type { AvatarId } from '../model/sync-group.ts';

/** One thing that spreads. Shapes are checked before it is delivered, signatures are not. */
export type GossipItem =
  /** `payload` is null where the Block Header travels alone. */
  | { readonly kind: 'block'; readonly block: Block; readonly payload: Uint8Array | null }
  | { readonly kind: 'metablock'; readonly metablock: Metablock }
  | { readonly kind: 'certificate'; readonly certificate: Certificate }
  | { readonly kind: 'ballot-note'; readonly note: BallotNote };

/** An item, and how it came here. */
export interface Delivery {
  readonly item: GossipItem;
  readonly from: AvatarId;
  /** Sent because we asked, so old to others: it is not relayed. */
  readonly answer: boolean;
}
