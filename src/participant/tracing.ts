import type { Block, BlockId } from '../model/block.ts';
import type { Level } from '../model/numbers.ts';
import type { AvatarId, GroupId } from '../model/sync-group.ts';
import type { ChainRecord } from '../ports/store.ts';
import { type Channel, type PulledEntry, RequestError } from './face.ts';
import type { ReportParts } from './report.ts';
import type { TraceOwner, TraceReport } from './trace-face.ts';

/** @throws RequestError `entry-unknown` where no such Entry is final here. */
export function traceEntry(parts: ReportParts, channel: Channel, sequence: number): TraceReport {
  const { core, memory, directory } = parts;
  const [pulled] = channel.pull(sequence, 1);
  const block =
    pulled === undefined ? null : (core.store.block(pulled.block as BlockId)?.block ?? null);
  if (pulled?.sequence !== sequence || block === null) throw unknown(channel, sequence);
  const group = memory.registry.group(block.group) ?? channel.group;
  const step = stepOf(parts, group.id, sequence);
  const known = knownOf(parts, block, step);
  return {
    pact: channel.pact.name,
    group: group.id,
    sequence,
    block: block.id,
    index: pulled.index,
    issuer: block.issuer,
    issuerName: directory.nameOf(block.issuer),
    atMs: pulled.atMs,
    metablock: step?.metablock ?? null,
    owners: group.owners.map((avatar) => {
      const state = stateOf(avatar, { self: core.self, pulled, known });
      return { avatar, name: directory.nameOf(avatar), state };
    }),
  };
}

function unknown(channel: Channel, sequence: number): RequestError {
  const message =
    `No Entry ${sequence} of ${channel.pact.name} is final here: it never was, is not yet, or is ` +
    'no longer kept.';
  return new RequestError('entry-unknown', message, { where: String(sequence) });
}

interface Known {
  readonly certifiers: ReadonlySet<AvatarId>;
  readonly holders: ReadonlySet<AvatarId>;
}

function knownOf(parts: ReportParts, block: Block, step: ChainRecord | null): Known {
  const certificates = step === null ? [] : parts.core.store.certificates(step.metablock);
  return {
    certifiers: new Set(certificates.map((each) => each.certifier)),
    holders: new Set(parts.gossip.holders(block)),
  };
}

function stateOf(
  avatar: AvatarId,
  { self, pulled, known }: { self: AvatarId; pulled: PulledEntry; known: Known },
): TraceOwner['state'] {
  if (avatar === self && pulled.entry !== null) return 'here';
  if (avatar === pulled.issuer) return 'issued';
  if (known.certifiers.has(avatar)) return 'certified';
  return known.holders.has(avatar) ? 'holds' : 'unknown';
}

/** The first step of the chain after which the Entry is final: found by halving. */
function stepOf({ core }: ReportParts, group: GroupId, sequence: number): ChainRecord | null {
  const { store } = core;
  let low = (store.cuts.base(group)?.level ?? -1) + 1;
  let high = store.finalizedHead(group)?.level ?? -1;
  let found: ChainRecord | null = null;
  while (low <= high) {
    const middle = Math.floor((low + high) / 2);
    const record = store.chain(group, middle as Level, 1)[0];
    if (record?.level !== middle) return null;
    if (record.lastSequence >= sequence) {
      found = record;
      high = middle - 1;
    } else low = middle + 1;
  }
  return found;
}
