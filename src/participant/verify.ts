import { Ed25519Verifier } from '../identity/index.ts';
import { loadKernel } from '../kernel/kernel.ts';
import { StoreError } from '../ports/store.ts';
import { createPactReader } from '../schema/pact-reader.ts';
import { AuditReader } from '../storage/audit-reader.ts';
import { type Audit, type Fault, fault, nameOf, type VerifyCounts } from './audit.ts';
import { auditBlocks } from './audit-blocks.ts';
import { auditChains } from './audit-chains.ts';
import { auditCuts } from './audit-cuts.ts';
import { auditForks } from './audit-forks.ts';
import { auditGroups, auditPacts } from './audit-groups.ts';
import { auditOrigins } from './audit-origins.ts';
import { auditRows } from './audit-rows.ts';
import { auditCertificates, auditMetablocks } from './audit-votes.ts';
import { PAYLOAD_LIMITS } from './open-core.ts';

export type { Fault, VerifyCounts } from './audit.ts';

export interface VerifyOptions {
  /** The database of a World. */
  readonly file: string;
}

export interface VerifyReport {
  readonly file: string;
  /** The first thing that does not hold; null where all does. */
  readonly fault: Fault | null;
  /** What was found to hold until then. */
  readonly counts: Readonly<VerifyCounts>;
  /** Groups that were cut: what holds, holds from this Entry on; a Quorum signed what is gone. */
  readonly from: readonly CutReport[];
}

export interface CutReport {
  /** As a person finds it again. */
  readonly group: string;
  readonly sequence: number;
  readonly signatures: number;
}

/** Each builds on those before it. */
const CHECKS: readonly ((audit: Audit) => Fault | null)[] = [
  ({ reader }) => {
    const problem = reader.integrity();
    return problem === null ? null : fault('sqlite', 'integrity_check', problem);
  },
  auditPacts,
  auditGroups,
  auditCuts,
  auditBlocks,
  auditForks,
  auditMetablocks,
  auditCertificates,
  auditChains,
  auditOrigins,
  auditRows,
];

/**
 * Recomputes from the signed bytes whatever a database says: hashes, signatures, causal chains,
 * chains of Metablocks and their Quorums, and every row of the Pacts' tables. Reads only, at one
 * moment in the file's life, one row at a time; an agent may go on writing meanwhile.
 *
 * @throws StoreError where there is no database of ours.
 * @throws KernelError where the WASM is not built.
 */
export function verifyWorld(options: VerifyOptions): VerifyReport {
  const { file } = options;
  const counts: VerifyCounts = {
    pacts: 0,
    groups: 0,
    blocks: 0,
    entries: 0,
    metablocks: 0,
    certificates: 0,
    splits: 0,
    rows: 0,
  };
  try {
    const from: CutReport[] = [];
    return { file, fault: verifyFile(file, counts, from), counts, from };
  } catch (cause) {
    if (!(cause instanceof StoreError) || cause.code !== 'STORE_CORRUPT') throw cause;
    return { file, fault: fault('sqlite', file, cause.message), counts, from: [] };
  }
}

function verifyFile(file: string, counts: VerifyCounts, from: CutReport[]): Fault | null {
  const kernel = loadKernel();
  const hash = (message: Uint8Array): Uint8Array => kernel.hasher.hash(message);
  const reader = AuditReader.open(file);
  try {
    const audit: Audit = {
      reader,
      hash,
      verifier: new Ed25519Verifier(),
      packer: kernel.packer,
      pactReader: createPactReader({ hash, entryBytesMax: PAYLOAD_LIMITS.entryBytesMax }),
      limits: PAYLOAD_LIMITS,
      counts,
      pacts: new Map(),
      groups: new Map(),
      cuts: new Map(),
    };
    for (const check of CHECKS) {
      const found = check(audit);
      if (found !== null) return found;
    }
    for (const [number, cut] of audit.cuts) {
      const group = nameOf(audit.groups.get(number)!);
      from.push({
        group,
        sequence: cut.lastSequence + 1,
        signatures: cut.signatures.length,
      });
    }
    return null;
  } finally {
    reader.close();
  }
}
