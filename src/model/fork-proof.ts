import { BLOCK_HEADER_BYTES_MAX, type Block, type BlockId, decodeBlock } from './block.ts';
import { compareText, type HashFunction } from './bytes.ts';
import { ByteWriter, CodecError, decoding, domainOf } from './codec.ts';
import type { CausalSequence } from './numbers.ts';
import type { AvatarId, GroupId } from './sync-group.ts';
import { accept, refuse, type Verdict } from './verdict.ts';

/** Fewest branches that prove a fork, and most that are kept: two convict, more only inform. */
export const FORK_BRANCHES_MIN = 2;
export const FORK_BRANCHES_MAX = 4;

/** What a fork proof needs of a Block Header; a `Block` is one as it stands. */
export type ForkBranch = Pick<
  Block,
  'id' | 'group' | 'issuer' | 'sequence' | 'previous' | 'dependencies' | 'signature' | 'bytes'
>;

/**
 * That an author went on from one place of its log in several ways: the first message of each
 * branch. Two signatures of one author over two messages with one `previous` convict it, and
 * nothing else needs to be known or trusted for it; nor can anybody else make one.
 *
 * @source features E4, E11; 2P-BFT-Log 3.3.
 */
export interface ForkProof {
  readonly group: GroupId;
  readonly author: AvatarId;
  /** The last message that all branches have in common; null for a fork at the first message. */
  readonly previous: BlockId | null;
  /** Causal sequence of the branches: 1 more than that of `previous`. */
  readonly sequence: CausalSequence;
  /** The lowest ids of those known, ascending: whoever knows the same branches keeps the same. */
  readonly branches: readonly ForkBranch[];
}

export type ForkProofRefusal =
  /** Fewer than two different messages. */
  | 'fork-single'
  /** Of several logs or places, or without a `previous` and not the first of their log. */
  | 'fork-mixed'
  | 'fork-forged'
  | 'fork-malformed';

/**
 * Puts messages together as the proof that they are; more than `FORK_BRANCHES_MAX` are cut to the
 * lowest ids. Signatures are not judged here.
 */
export function makeForkProof(
  messages: readonly ForkBranch[],
): Verdict<ForkProof, 'fork-single' | 'fork-mixed'> {
  const branches = [...new Map(messages.map((each) => [each.id, each])).values()]
    .sort((a, b) => compareText(a.id, b.id))
    .slice(0, FORK_BRANCHES_MAX);
  const [first] = branches;
  if (first === undefined || branches.length < FORK_BRANCHES_MIN) return refuse('fork-single');
  if (!messages.every((each) => areBranches(first, each))) return refuse('fork-mixed');
  const { group, issuer, previous, sequence } = first;
  if ((previous === null) !== (sequence === 1)) return refuse('fork-mixed');
  return accept({ group, author: issuer, previous, sequence, branches });
}

function areBranches(one: ForkBranch, other: ForkBranch): boolean {
  return (
    one.group === other.group &&
    one.issuer === other.issuer &&
    one.previous === other.previous &&
    one.sequence === other.sequence
  );
}

const DOMAIN = domainOf('vb1/fork-proof');

/** Longest a proof can be. */
export const FORK_PROOF_BYTES_MAX = 16 + 2 + FORK_BRANCHES_MAX * (2 + BLOCK_HEADER_BYTES_MAX);

/**
 * The bytes of a proof, for peers and for the evidence that stays. It is not signed itself.
 *
 * ```
 * offset  bytes  field     meaning
 *      0     16  domain    'vb1/fork-proof'
 *     16      2  count     n branches, 2 to 4
 *     18         branches  each a length (2 bytes) and a Block Header, ascending by Block id
 * ```
 */
export function encodeForkProof(proof: ForkProof): Uint8Array {
  const writer = new ByteWriter().raw(DOMAIN).u16(proof.branches.length);
  for (const branch of proof.branches) writer.shortBytes(branch.bytes);
  return writer.finish();
}

/** Reads a proof from a peer or from evidence; what is no proof is refused, unsigned ones not. */
export function decodeForkProof(
  hash: HashFunction,
  bytes: Uint8Array,
): Verdict<ForkProof, ForkProofRefusal> {
  if (bytes.length > FORK_PROOF_BYTES_MAX) return refuse('fork-malformed', 'too long');
  const read = decoding(bytes, (reader) => {
    reader.domain(DOMAIN);
    const count = reader.count(FORK_BRANCHES_MAX);
    const blocks: Block[] = [];
    for (let index = 0; index < count; index++) {
      const block = decodeBlock(hash, reader.shortBytes(BLOCK_HEADER_BYTES_MAX));
      if (!block.ok) throw new CodecError(block.detail ?? block.reason);
      const before = blocks.at(-1);
      if (before !== undefined && before.id >= block.value.id) {
        throw new CodecError('branches out of order');
      }
      blocks.push(block.value);
    }
    return blocks;
  });
  return read.ok ? makeForkProof(read.value) : refuse('fork-malformed', read.detail);
}
