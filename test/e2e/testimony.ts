import { createHash } from 'node:crypto';
import Database from 'better-sqlite3';
import { type Block, decodeBlock } from '../../src/model/block.ts';
import { toHex32 } from '../../src/model/bytes.ts';
import { type Certificate, decodeCertificate } from '../../src/model/certificate.ts';
import { decodeMetablock, type Metablock, type MetablockId } from '../../src/model/metablock.ts';
import type { AvatarId, GroupId } from '../../src/model/sync-group.ts';

/** What one database says that owners issued and promised, as they signed it. */
export interface Testimony {
  readonly participant: AvatarId;
  readonly certificates: readonly Certificate[];
  readonly metablocks: readonly Metablock[];
  readonly blocks: readonly Block[];
  /** Generation of the finalized head of each Sync Group that has one. */
  readonly heads: ReadonlyMap<GroupId, number>;
}

const hash = (message: Uint8Array): Uint8Array => createHash('sha256').update(message).digest();

/** Reads all that is signed from a database that nobody needs to be running. */
export function readTestimony(file: string, participant: AvatarId): Testimony {
  const database = new Database(file, { readonly: true, fileMustExist: true });
  const column = (sql: string) => database.prepare<[], Buffer>(sql).pluck().all();
  const read = <Value>(verdict: { ok: true; value: Value } | { ok: false; reason: string }) => {
    if (!verdict.ok) throw new Error(`${file}: ${verdict.reason}`);
    return verdict.value;
  };
  try {
    return {
      participant,
      certificates: column('SELECT bytes FROM vb_certificate').map((each) =>
        read(decodeCertificate(each)),
      ),
      metablocks: column('SELECT bytes FROM vb_metablock').map((each) =>
        read(decodeMetablock(hash, each)),
      ),
      blocks: column('SELECT header FROM vb_block').map((each) => read(decodeBlock(hash, each))),
      heads: readHeads(database),
    };
  } finally {
    database.close();
  }
}

function readHeads(database: Database.Database): Map<GroupId, number> {
  const rows = database
    .prepare<[], { id: Buffer; generation: number }>(
      `SELECT g.id, max(m.generation) AS generation FROM vb_chain c
        JOIN vb_group g ON g.number = c.group_number JOIN vb_metablock m ON m.id = c.metablock
        GROUP BY g.id`,
    )
    .all();
  return new Map(rows.map(({ id, generation }) => [toHex32(id), generation]));
}

/** The highest Ballot that a database's Participant moved to, of each Sync Group. */
export function readBallots(file: string): Map<string, number> {
  const database = new Database(file, { readonly: true, fileMustExist: true });
  try {
    const rows = database
      .prepare<[], { id: string; ballot: number }>('SELECT hex(group_id) id, ballot FROM vb_vote')
      .all();
    return new Map(rows.map(({ id, ballot }) => [id, ballot]));
  } finally {
    database.close();
  }
}

/**
 * V1, over all databases: what one owner certified for a group at one Ballot lies on one chain.
 *
 * @returns a line for each pair of rivals that an owner certified at one Ballot.
 */
export function findBrokenPromises(testimonies: readonly Testimony[]): string[] {
  const metablocks = new Map<MetablockId, Metablock>();
  const votes = new Map<string, { group: GroupId; voted: Set<MetablockId> }>();
  for (const testimony of testimonies) {
    for (const each of testimony.metablocks) metablocks.set(each.id, each);
    for (const { certifier, metablock, entries } of testimony.certificates) {
      for (const { group, ballot } of entries) {
        const key = `${certifier} at Ballot ${ballot} of ${group}`;
        const vote = votes.get(key) ?? { group, voted: new Set() };
        votes.set(key, vote);
        vote.voted.add(metablock);
      }
    }
  }
  const broken: string[] = [];
  for (const [key, { group, voted }] of votes) {
    const chains = [...voted].map((id) => chainOf(metablocks, group, id));
    const longest = chains.reduce((a, b) => (b.length > a.length ? b : a));
    const rivals = [...voted].filter((id) => !longest.includes(id));
    if (rivals.length > 0) broken.push(`${key}: ${longest[0]} and ${rivals.join(', ')}`);
  }
  return broken;
}

/** From a Metablock back to where the group's chain begins, or to one that is in no database. */
function chainOf(
  metablocks: ReadonlyMap<MetablockId, Metablock>,
  group: GroupId,
  from: MetablockId,
): MetablockId[] {
  const chain: MetablockId[] = [];
  let next: MetablockId | null = from;
  while (next !== null) {
    chain.push(next);
    const places: Metablock['predecessors'] = metablocks.get(next)?.predecessors ?? [];
    next = places.find((each) => each.group === group)?.metablock ?? null;
  }
  return chain;
}

/** @returns a line for each two Blocks of one Causal Group with one sequence, in any databases. */
export function findForks(testimonies: readonly Testimony[]): string[] {
  const places = new Map<string, Set<string>>();
  for (const { blocks } of testimonies) {
    for (const { group, issuer, sequence, id } of blocks) {
      const key = `Block ${sequence} of ${issuer} in ${group}`;
      const ids = places.get(key) ?? new Set();
      places.set(key, ids.add(id));
    }
  }
  return [...places].filter(([, ids]) => ids.size > 1).map(([key, ids]) => `${key}: ${[...ids]}`);
}

/**
 * Persist, then speak, over all databases: what anybody has of a Participant, it has itself. Votes
 * and rivals up to its own finalized head may be gone: no rule asks for them any more.
 *
 * @param of Whom to ask about: none of them may run while the databases are read.
 * @returns a line for each thing that a Participant signed and others have, but it does not.
 */
export function findForgotten(
  testimonies: readonly Testimony[],
  of: readonly Testimony[] = testimonies,
): string[] {
  const forgotten: string[] = [];
  const metablocks = new Map(
    testimonies.flatMap((each) => each.metablocks.map((metablock) => [metablock.id, metablock])),
  );
  for (const { participant, ...own } of of) {
    const certified = new Set(own.certificates.map(keyOf));
    const isOver = (id: string, groups: readonly { readonly group: GroupId }[]) => {
      const generation = metablocks.get(id as MetablockId)?.generation;
      if (generation === undefined) return false;
      return groups.every(({ group }) => generation <= (own.heads.get(group) ?? -1));
    };
    const known = new Set([...own.metablocks, ...own.blocks].map((each) => each.id as string));
    for (const other of testimonies) {
      if (other.participant === participant) continue;
      for (const each of other.certificates) {
        if (each.certifier !== participant || certified.has(keyOf(each))) continue;
        if (!isOver(each.metablock, each.entries)) {
          forgotten.push(`${participant} forgot its Certificate ${keyOf(each)}`);
        }
      }
      for (const each of [...other.metablocks, ...other.blocks]) {
        if (each.issuer !== participant || known.has(each.id)) continue;
        if (!('predecessors' in each) || !isOver(each.id, each.predecessors)) {
          forgotten.push(`${participant} forgot ${each.id}, which it issued`);
        }
      }
    }
  }
  return forgotten;
}

function keyOf({ metablock, entries }: Certificate): string {
  return `${metablock} ${entries.map(({ group, ballot }) => `${group}@${ballot}`)}`;
}
