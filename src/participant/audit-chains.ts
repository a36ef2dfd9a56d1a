import { type Block, type BlockId, decodeBlock, isHandOver } from '../model/block.ts';
import { fromHex } from '../model/bytes.ts';
import type { Cut } from '../model/cut.ts';
import { decodeMetablock, type Metablock } from '../model/metablock.ts';
import type { AvatarId } from '../model/sync-group.ts';
import type { SqlRow } from '../storage/connection.ts';
import {
  type Audit,
  type AuditGroup,
  bytesOf,
  type Fault,
  fault,
  firstDifference,
  hexOf,
  idOf,
  nameOf,
} from './audit.ts';
import { isProvenFinal } from './audit-votes.ts';

/** Every chain of every group, and that the Blocks that are final are just those of its chain. */
export function auditChains(audit: Audit): Fault | null {
  for (const group of audit.groups.values()) {
    const found = new ChainAudit(audit, group).run();
    if (found !== null) return found;
  }
  for (const table of ['vb_chain', 'vb_causal'] as const) {
    const stray = audit.reader.strayOf(table);
    if (stray === undefined) continue;
    const key = String(stray['group_number']);
    return fault(table, key, 'there is no Sync Group of this number');
  }
  return null;
}

interface Step {
  readonly metablock: Metablock;
  readonly level: number;
  /** Does it carry Blocks of this group? */
  readonly carries: boolean;
}

class ChainAudit {
  readonly #audit: Audit;
  readonly #group: AuditGroup;
  /** Final Blocks in the order of their Entries; each is taken once. */
  readonly #blocks: Iterator<SqlRow>;
  readonly #tips = new Map<AvatarId, { readonly sequence: number; readonly id: BlockId }>();
  /** Where the group was cut; below it nothing is looked at. */
  readonly #cut: Cut | null;
  #last: number;
  /** The hand-over Block that ended the group. */
  #handOver: Block | null = null;
  #head: Step | null = null;

  constructor(audit: Audit, group: AuditGroup) {
    this.#audit = audit;
    this.#group = group;
    const cut = audit.cuts.get(group.number) ?? null;
    this.#cut = cut;
    for (const { issuer, sequence, block } of cut?.tips ?? []) {
      this.#tips.set(issuer, { sequence, id: block });
    }
    this.#last = cut?.lastSequence ?? group.group.origin?.sequence ?? 0;
    const blocks = audit.reader.finalBlocks(group.number, group.cutSequence);
    this.#blocks = blocks[Symbol.iterator]();
  }

  run(): Fault | null {
    const found = this.#walk() ?? this.#auditEnd();
    this.#blocks.return?.();
    return found;
  }

  #walk(): Fault | null {
    const from = this.#cut?.level ?? 0;
    for (const row of this.#audit.reader.chain(this.#group.number, from)) {
      const isCut = this.#cut !== null && this.#head === null;
      const found = isCut ? this.#auditBeginning(row, this.#cut!) : this.#auditStep(row);
      if (found !== null) return found;
    }
    if (this.#group.group.owners.length > 1) return this.#auditNoMore() ?? this.#auditQuorum();
    if (this.#head !== null) return this.#inChain(0, 'a group of one owner has no Metablocks');
    return this.#auditSoleOwner();
  }

  #inChain(level: number, problem: string): Fault {
    return fault('vb_chain', `${nameOf(this.#group)} Level ${level}`, problem);
  }

  /** The Metablock of the cut, whose Blocks lie below it. */
  #auditBeginning(row: SqlRow, { level, metablock: id, tips, lastSequence }: Cut): Fault | null {
    const difference = firstDifference(row, { level, last_seq: lastSequence });
    if (difference !== null) return this.#inChain(level, difference);
    const metablock = this.#metablockOf(row);
    if (metablock?.id !== id || metablock === null) {
      return this.#inChain(level, 'its Metablock is not that of the cut');
    }
    const last = new Set<string>(tips.map(({ block }) => block));
    this.#head = { metablock, level, carries: metablock.blocks.some((each) => last.has(each)) };
    return null;
  }

  #metablockOf(row: SqlRow): Metablock | null {
    const stored = this.#audit.reader.metablock(bytesOf(row['metablock']));
    const read = decodeMetablock(this.#audit.hash, bytesOf(stored?.['bytes']));
    return read.ok ? read.value : null;
  }

  #auditStep(row: SqlRow): Fault | null {
    const level = (this.#head?.level ?? -1) + 1;
    if (row['level'] !== level) return this.#inChain(level, 'this Level is missing');
    const metablock = this.#metablockOf(row);
    if (metablock === null) return this.#inChain(level, 'its Metablock is not here');
    const problem = this.#auditLink(metablock);
    if (problem !== null) return this.#inChain(level, problem);
    const carried = metablock.blocks.filter((id) =>
      this.#audit.reader.isBlockOf(fromHex(id), this.#group.number),
    );
    // A Metablock of several groups carries Blocks of others, which need not be here.
    const missing = metablock.blocks.find((id) => !carried.includes(id));
    if (missing !== undefined && metablock.predecessors.length === 1) {
      return fault('vb_block', missing, 'is in the chain and not here');
    }
    if (carried.length === 0 && !this.#head?.carries) {
      return this.#inChain(level, 'its Metablock neither carries Blocks nor closes any');
    }
    for (const id of carried) {
      const { value: next, done } = this.#blocks.next();
      if (done === true) return fault('vb_block', id, 'is in the chain and not final');
      const found = this.#auditBlock(next, id);
      if (found !== null) return found;
    }
    this.#head = { metablock, level, carries: carried.length > 0 };
    const difference = firstDifference(row, { last_seq: this.#last });
    return difference === null ? null : this.#inChain(level, difference);
  }

  /** @source consensus.md 2, rules 1, 2 and 4. */
  #auditLink(metablock: Metablock): string | null {
    const { group } = this.#group;
    const before = this.#head?.metablock ?? null;
    const link = metablock.predecessors.find((each) => each.group === group.id);
    if (link === undefined) return 'its Metablock is not of this Sync Group';
    if (link.metablock !== (before?.id ?? null)) return 'it does not follow the Level before it';
    if (before !== null && metablock.generation <= before.generation) {
      return 'its Generation is not above that of the Level before it';
    }
    return group.owners.includes(metablock.issuer) ? null : 'its issuer is no owner';
  }

  /**
   * The next final Block must continue its Causal Group and the numbers of Entries.
   * @param id Which it must be; null where its own sequence alone decides.
   */
  #auditBlock(row: SqlRow, id: string | null): Fault | null {
    const key = hexOf(row['id']);
    if (id !== null && key !== id) {
      return fault('vb_block', key, `is final where the chain has ${id}`);
    }
    const first = this.#last + 1;
    const difference = firstDifference(row, { first_seq: first });
    if (difference !== null) return fault('vb_block', key, difference);
    if (this.#handOver !== null) return fault('vb_block', key, 'is final after a hand-over');
    const read = decodeBlock(this.#audit.hash, bytesOf(row['header']));
    if (!read.ok) return fault('vb_block', key, 'its header is no Block Header');
    const block = read.value;
    const tip = this.#tips.get(block.issuer);
    const isNext = block.sequence === (tip?.sequence ?? 0) + 1;
    if (!isNext || block.previous !== (tip?.id ?? null)) {
      return fault('vb_block', key, 'does not continue the Causal Group of its issuer');
    }
    this.#tips.set(block.issuer, block);
    if (isHandOver(block)) this.#handOver = block;
    this.#last += block.entryCount;
    return null;
  }

  #auditNoMore(): Fault | null {
    const { value: row, done } = this.#blocks.next();
    if (done === true) return null;
    return fault('vb_block', hexOf(row['id']), 'is final and in no Metablock of the chain');
  }

  #auditQuorum(): Fault | null {
    const { metablock: cut, level: cutLevel } = this.#cut ?? {};
    if (this.#head === null) {
      if (typeof cut !== 'string') return null;
      return this.#inChain(cutLevel ?? 0, 'the Level of the cut is missing');
    }
    const { metablock, level } = this.#head;
    // The cut's own Quorum says that it is final.
    if (metablock.id === cut) return null;
    const head = { id: fromHex(metablock.id), issuer: metablock.issuer };
    if (isProvenFinal(this.#audit, this.#group, head)) return null;
    return this.#inChain(level, 'no Quorum of Certificates makes it final');
  }

  /** The causal sequence is the order. @source consensus.md 4. */
  #auditSoleOwner(): Fault | null {
    for (let next = this.#blocks.next(); next.done !== true; next = this.#blocks.next()) {
      const found = this.#auditBlock(next.value, null);
      if (found !== null) return found;
    }
    return null;
  }

  #auditEnd(): Fault | null {
    const { number, lastSequence } = this.#group;
    if (lastSequence !== this.#last) {
      const problem = `last_seq says ${lastSequence}, not ${this.#last}`;
      return fault('vb_group', nameOf(this.#group), problem);
    }
    const unnamed = new Set(this.#group.lastBlocks.keys());
    for (const row of this.#audit.reader.frontier(number)) {
      const issuer = idOf(row['issuer']);
      if (issuer === null) return this.#ofIssuer(hexOf(row['issuer']), 'is no Avatar');
      const problem = this.#auditIssuer(row, issuer);
      if (problem !== null) return this.#ofIssuer(issuer, problem);
      unnamed.delete(issuer);
    }
    const [missed] = unnamed;
    return missed === undefined ? null : this.#ofIssuer(missed, 'is missing');
  }

  #ofIssuer(issuer: string, problem: string): Fault {
    return fault('vb_causal', `${nameOf(this.#group)} by ${issuer}`, problem);
  }

  /** What an issuer would continue, and from where on its Blocks are not final. */
  #auditIssuer(row: SqlRow, issuer: AvatarId): string | null {
    const tip = this.#tips.get(issuer);
    const isFinalRight =
      row['final_sequence'] === (tip?.sequence ?? 0) &&
      idOf(row['final_block']) === (tip?.id ?? null);
    if (!isFinalRight) return 'does not name the last final Block';
    // Where a log forks, what is final decides which branch goes on, and not what is longest.
    if (this.#group.forked.has(issuer)) return this.#auditForked(row, tip?.sequence ?? 0);
    const found = this.#group.lastBlocks.get(issuer);
    const isBelow = tip !== undefined && (found?.sequence ?? 0) < tip.sequence;
    const last = isBelow ? { sequence: tip.sequence, ids: [tip.id] } : found;
    const difference = firstDifference(row, { sequence: last?.sequence ?? 0 });
    if (difference !== null) return difference;
    const id = idOf(row['block']);
    return id !== null && last?.ids.includes(id) ? null : 'does not name its last Block';
  }

  #auditForked(row: SqlRow, finalSequence: number): string | null {
    if (Number(row['sequence']) < finalSequence) return 'ends before its last final Block';
    const id = bytesOf(row['block']);
    if (id.length === 0 && Number(row['sequence']) === 0) return null;
    const isHere = this.#audit.reader.isBlockOf(id, this.#group.number);
    return isHere ? null : 'does not name its last Block';
  }
}
