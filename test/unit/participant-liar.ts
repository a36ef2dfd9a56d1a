import { createHash } from 'node:crypto';
import type { GossipItem } from '../../src/gossip/item.ts';
import { deriveAvatar, Secret } from '../../src/identity/index.ts';
import { type Block, type BlockId, encodeBlockHeader, sealBlock } from '../../src/model/block.ts';
import { toHex32 } from '../../src/model/bytes.ts';
import {
  type Certificate,
  encodeCertificate,
  sealCertificate,
} from '../../src/model/certificate.ts';
import type { CausalSequence } from '../../src/model/numbers.ts';
import type { AvatarId } from '../../src/model/sync-group.ts';
import type { Agent } from '../../src/participant/agent.ts';
import { type Hub, WORLD } from './participant-hub.ts';

const hash = (bytes: Uint8Array): Uint8Array =>
  new Uint8Array(createHash('sha256').update(bytes).digest());

export type BlockItem = Extract<GossipItem, { kind: 'block' }>;

/** An owner without a device: it signs whatever a test wants, and nothing by itself. */
export class Liar {
  readonly avatar: AvatarId;
  private readonly keys;
  private readonly hub: Hub;

  constructor(hub: Hub, seed: number) {
    this.hub = hub;
    this.keys = deriveAvatar(new Secret(new Uint8Array(32).fill(seed)), WORLD);
    this.avatar = toHex32(this.keys.id);
  }

  /**
   * A Block in its own log with the Entries of another's.
   *
   * @param like Whose Entries, group and time to take.
   */
  block(
    like: BlockItem,
    place: { previous: Block | null; dependencies?: readonly Block[]; atMs?: number },
  ): BlockItem {
    const { group, entryCount, byteLength, merkleRoot, atMs } = like.block;
    const dependencies: BlockId[] = (place.dependencies ?? []).map((each) => each.id).sort();
    const header = {
      group,
      issuer: this.avatar,
      sequence: ((place.previous?.sequence ?? 0) + 1) as CausalSequence,
      previous: place.previous?.id ?? null,
      dependencies,
      entryCount,
      byteLength,
      merkleRoot,
      atMs: place.atMs ?? atMs,
    };
    const block = sealBlock(hash, header, this.keys.signer.sign(encodeBlockHeader(header)));
    return { kind: 'block', block, payload: like.payload };
  }

  /** Votes as another owner did. */
  echo({ metablock, entries }: Certificate): Certificate {
    const body = { metablock, certifier: this.avatar, entries };
    return sealCertificate(body, this.keys.signer.sign(encodeCertificate(body)));
  }

  tell(item: GossipItem, ...agents: readonly Agent[]): void {
    for (const agent of agents) agent.onItems([{ item, from: this.avatar, answer: false }]);
  }

  /** The Blocks of this owner that went through the hub, in their order. */
  blocksBy(owner: AvatarId, group: string): BlockItem[] {
    return this.hub.sent.filter(
      (item): item is BlockItem =>
        item.kind === 'block' && item.block.issuer === owner && item.block.group === group,
    );
  }
}
