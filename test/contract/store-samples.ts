import { createHash } from 'node:crypto';
import { type Block, type BlockId, sealBlock } from '../../src/model/block.ts';
import { concatBytes, type HashFunction, type Hex32, toHex32 } from '../../src/model/bytes.ts';
import { type Certificate, sealCertificate } from '../../src/model/certificate.ts';
import { ByteWriter } from '../../src/model/codec.ts';
import { makeForkProof } from '../../src/model/fork-proof.ts';
import { type Metablock, type MetablockId, sealMetablock } from '../../src/model/metablock.ts';
import type { Ballot, CausalSequence, Generation, Level } from '../../src/model/numbers.ts';
import type { EntryValue, Pact } from '../../src/model/pact.ts';
import { type AvatarId, makeSyncGroup, type SyncGroup } from '../../src/model/sync-group.ts';
import type { DecodedEntries, Store } from '../../src/ports/store.ts';
import { createPactReader } from '../../src/schema/pact-reader.ts';

export const sha256: HashFunction = (message) =>
  new Uint8Array(createHash('sha256').update(message).digest());

export function idOf(text: string): Hex32 {
  return toHex32(sha256(new TextEncoder().encode(text)));
}

const SIGNATURE = new Uint8Array(64);
export const [ada, bert, cleo] = ['ada', 'bert', 'cleo'].map(idOf) as [Hex32, Hex32, Hex32];

const reader = createPactReader({ hash: sha256 });

export function pactOf(
  name: string,
  properties: Record<string, unknown>,
  rest: Record<string, unknown> = {},
): Pact {
  const required = Object.keys(properties);
  const file = { name, schema: { type: 'object', properties, required }, ...rest };
  return reader.readFile(JSON.stringify(file), () => undefined);
}

/** Doors that are open or shut; the current state is kept by `door`. */
export const door = pactOf(
  'door',
  { door: { type: 'string' }, open: { type: 'boolean' } },
  { key: ['door'] },
);

export function groupOf(pact: Pact, ...owners: AvatarId[]): SyncGroup {
  const rules = { pact: pact.id, quorumPolicy: pact.quorumPolicy };
  return makeSyncGroup(sha256, { ...rules, availability: pact.availability }, owners);
}

/** Rows such as `['front', true]`. */
export type Rows = readonly (readonly EntryValue[])[];

/** A Block with its payload and its Entries in all the forms in which a store takes them. */
export interface Stackable {
  readonly block: Block;
  readonly payload: Uint8Array;
  readonly entries: DecodedEntries;
}

/** Entries stand in the payload as the UTF-8 of their JSON: the store never looks into them. */
export function payloadOf(rows: Rows): Uint8Array {
  const entries = rows.map((row) => new TextEncoder().encode(JSON.stringify(row)));
  const writer = new ByteWriter().u32(entries.length);
  for (const entry of entries) writer.u32(entry.length);
  return concatBytes(writer.finish(), ...entries);
}

export function blockAfter(
  previous: Stackable | null,
  group: SyncGroup,
  issuer: AvatarId,
  rows: Rows = [['front', true]],
): Stackable {
  const payload = payloadOf(rows);
  const sequence = ((previous?.block.sequence ?? 0) + 1) as CausalSequence;
  const header = {
    group: group.id,
    issuer,
    sequence,
    previous: previous?.block.id ?? null,
    dependencies: [],
    entryCount: rows.length,
    byteLength: payload.length,
    merkleRoot: sha256(payload),
    atMs: 1_700_000_000_000 + sequence,
  };
  const block = sealBlock(sha256, header, SIGNATURE);
  return { block, payload, entries: { pact: group.pact, rows } };
}

/** Blocks that follow each other, one for each element of `all`. */
export function blocksOf(group: SyncGroup, issuer: AvatarId, all: readonly Rows[]): Stackable[] {
  const blocks: Stackable[] = [];
  for (const rows of all) blocks.push(blockAfter(blocks.at(-1) ?? null, group, issuer, rows));
  return blocks;
}

/** That an author's first Block has a twin. */
export function forkOf(group: SyncGroup, author: AvatarId, after: Stackable | null = null) {
  const branches: Rows[] = [[['front', true]], [['back', true]]];
  const made = makeForkProof(branches.map((rows) => blockAfter(after, group, author, rows).block));
  if (!made.ok) throw new Error(made.reason);
  return made.value;
}

export function metablockAfter(
  previous: Metablock | null,
  groups: readonly SyncGroup[],
  blocks: readonly BlockId[] = [],
  issuer: AvatarId = ada,
): Metablock {
  const places = groups.map(({ id }) => ({ group: id, metablock: previous?.id ?? null }));
  const body = {
    generation: ((previous?.generation ?? -1) + 1) as Generation,
    predecessors: places.sort((a, b) => (a.group < b.group ? -1 : 1)),
    blocks,
    issuer,
  };
  return sealMetablock(sha256, body, SIGNATURE);
}

export function certificateOf(
  metablock: MetablockId,
  certifier: AvatarId,
  group: SyncGroup,
  ballot = 0,
): Certificate {
  const entries = [{ group: group.id, ballot: ballot as Ballot }];
  return sealCertificate({ metablock, certifier, entries }, SIGNATURE);
}

/** Stacks Blocks with their payloads. */
export function stack(store: Store, ...blocks: readonly Stackable[]): void {
  store.transaction(() => {
    for (const { block, payload } of blocks) store.putBlock(block, payload);
  });
}

/** Makes Blocks final, in a Metablock at this Level if there is one. */
export function finalize(
  store: Store,
  group: SyncGroup,
  blocks: readonly Stackable[],
  metablock: { readonly id: MetablockId; readonly level: number } | null = null,
): number {
  const chain =
    metablock === null ? null : { metablock: metablock.id, level: metablock.level as Level };
  return store.transaction(() =>
    store.finalize({
      group: group.id,
      chain,
      blocks: blocks.map(({ block, entries }) => ({
        block,
        entries: store.payload(block.id) === null ? null : entries,
      })),
    }),
  );
}

/** Makes Pact and group known. */
export function introduce(store: Store, pact: Pact, ...groups: readonly SyncGroup[]): void {
  store.transaction(() => {
    store.putPact(pact);
    for (const group of groups) store.putGroup(group);
  });
}
