import type { Block } from '../model/block.ts';
import { toHex } from '../model/bytes.ts';
import type { BallotNote, Certificate } from '../model/certificate.ts';
import { type Cut, keyOfCut } from '../model/cut.ts';
import type { ForkProof } from '../model/fork-proof.ts';
import type { Metablock } from '../model/metablock.ts';
import type { AvatarId } from '../model/sync-group.ts';

/** One thing that spreads. Shapes are checked before it is delivered, signatures are not. */
export type GossipItem =
  /** `payload` is null where the Block Header travels alone. */
  | { readonly kind: 'block'; readonly block: Block; readonly payload: Uint8Array | null }
  | { readonly kind: 'metablock'; readonly metablock: Metablock }
  | { readonly kind: 'certificate'; readonly certificate: Certificate }
  | { readonly kind: 'ballot-note'; readonly note: BallotNote }
  | { readonly kind: 'fork-proof'; readonly proof: ForkProof }
  /** With its Metablock where the sender has nothing below it, and offers it as a beginning. */
  | { readonly kind: 'cut'; readonly cut: Cut; readonly metablock: Metablock | null };

/** An item, and how it came here. */
export interface Delivery {
  readonly item: GossipItem;
  readonly from: AvatarId;
  /** Sent because we asked, so old to others: it is not relayed. */
  readonly answer: boolean;
}

/** What stands for an item where it is only remembered. */
export type ItemKey = string;

/** Who made the item, and so sent it to all its own neighbours; null where anybody may have. */
export function originOf(item: GossipItem): AvatarId | null {
  switch (item.kind) {
    case 'block':
      return item.block.issuer;
    case 'metablock':
      return item.metablock.issuer;
    case 'certificate':
      return item.certificate.certifier;
    case 'ballot-note':
      return item.note.owner;
    case 'fork-proof':
      return null;
    case 'cut':
      return item.cut.signatures[0]!.owner;
    default:
      return item satisfies never;
  }
}

/**
 * The same for two items exactly when one of them is enough. A Block is more than its header.
 * Certificates and notes have no id; the second half of their signature is as good as one. The
 * first is not: it hangs on the signer's nonce alone, which need not be fresh.
 */
export function keyOf(item: GossipItem): ItemKey {
  switch (item.kind) {
    case 'block':
      return item.payload === null ? `${item.block.id}-` : item.block.id;
    case 'metablock':
      return item.metablock.id;
    case 'certificate':
      return toHex(item.certificate.signature.subarray(32));
    case 'ballot-note':
      return toHex(item.note.signature.subarray(32));
    case 'fork-proof':
      return item.proof.branches.map((each) => each.id).join();
    case 'cut':
      return keyOfCut(item.cut);
    default:
      return item satisfies never;
  }
}
