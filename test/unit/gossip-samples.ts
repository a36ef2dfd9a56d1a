import { createHash } from 'node:crypto';
import { type Block, type BlockHeader, sealBlock } from '../../src/model/block.ts';
import { type Hex32, toHex32 } from '../../src/model/bytes.ts';
import {
  type BallotNote,
  type Certificate,
  sealBallotNote,
  sealCertificate,
} from '../../src/model/certificate.ts';
import { type Cut, sealCut } from '../../src/model/cut.ts';
import { type Metablock, sealMetablock } from '../../src/model/metablock.ts';
import type {
  Ballot,
  CausalSequence,
  EntrySequence,
  Generation,
  Level,
} from '../../src/model/numbers.ts';
import type { AvatarId, GroupId } from '../../src/model/sync-group.ts';

/** Node's own, so that samples do not hang on the code under test. */
export function hash(message: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha256').update(message).digest());
}

/** An id that is the same wherever this name is given. */
export function idOf(name: string): Hex32 {
  return toHex32(hash(new TextEncoder().encode(name)));
}

/** 64 bytes in place of a signature: gossip does not judge them. */
export function signatureOf(name: string): Uint8Array {
  const half = hash(new TextEncoder().encode(`signature ${name}`));
  return Uint8Array.of(...half, ...hash(half));
}

export function payloadOf(length: number, fill = 7): Uint8Array {
  return new Uint8Array(Math.max(8, length)).fill(fill);
}

export interface BlockSample {
  readonly group: GroupId;
  readonly issuer: AvatarId;
  readonly sequence: number;
  readonly previous?: Block | null;
  readonly payload?: Uint8Array;
  readonly mark?: string;
}

export function blockOf(sample: BlockSample): { block: Block; payload: Uint8Array } {
  const payload = sample.payload ?? payloadOf(100, sample.sequence & 0xff);
  const previous =
    sample.previous?.id ?? idOf(`${sample.group} ${sample.issuer} ${sample.sequence - 1}`);
  const header: BlockHeader = {
    group: sample.group,
    issuer: sample.issuer,
    sequence: sample.sequence as CausalSequence,
    previous: sample.sequence === 1 ? null : previous,
    dependencies: [],
    entryCount: 1,
    byteLength: payload.length,
    merkleRoot: hash(payload),
    atMs: 1,
  };
  const mark = `${sample.issuer} ${sample.sequence} ${sample.mark ?? ''}`;
  return { block: sealBlock(hash, header, signatureOf(mark)), payload };
}

export function metablockOf(sample: {
  readonly group: GroupId;
  readonly issuer: AvatarId;
  readonly generation: number;
  readonly predecessor: Metablock | null;
  readonly blocks: readonly Block[];
}): Metablock {
  const body = {
    generation: sample.generation as Generation,
    predecessors: [{ group: sample.group, metablock: sample.predecessor?.id ?? null }],
    blocks: sample.blocks.map((each) => each.id),
    issuer: sample.issuer,
  };
  return sealMetablock(hash, body, signatureOf(`${sample.issuer} m ${sample.generation}`));
}

export function certificateOf(
  group: GroupId,
  metablock: Metablock,
  certifier: AvatarId,
  ballot = 1,
): Certificate {
  const body = {
    metablock: metablock.id,
    certifier,
    entries: [{ group, ballot: ballot as Ballot }],
  };
  return sealCertificate(body, signatureOf(`${metablock.id} ${certifier} ${ballot}`));
}

export function noteOf(group: GroupId, owner: AvatarId, ballot: number): BallotNote {
  const body = { group, owner, ballot: ballot as Ballot };
  return sealBallotNote(body, signatureOf(`${group} ${owner} ${ballot}`));
}

export function cutOf(
  group: GroupId,
  at: { readonly level: number; readonly metablock: Metablock | null },
  tips: readonly Block[],
): Cut {
  const body = {
    group,
    level: at.level as Level,
    metablock: at.metablock?.id ?? null,
    lastSequence: 100 as EntrySequence,
    tips: tips.map(({ issuer, sequence, id }) => ({ issuer, sequence, block: id })),
  };
  return sealCut(body, [{ owner: idOf('owner'), signature: signatureOf('cut') }]);
}
