import type { ConsensusEffect, ConsensusEvent } from '../../src/consensus/events.ts';
import {
  type ConsensusContext,
  type ConsensusState,
  DEFAULT_SETTINGS,
  restore,
  step,
} from '../../src/consensus/metablockchain.ts';
import { TwinConflicts } from '../../src/kernel/twin-conflicts.ts';
import { type Block, type BlockId, encodeBlockHeader, sealBlock } from '../../src/model/block.ts';
import { toHex32 } from '../../src/model/bytes.ts';
import {
  type Certificate,
  encodeBallotNote,
  encodeCertificate,
  sealBallotNote,
  sealCertificate,
} from '../../src/model/certificate.ts';
import {
  encodeMetablock,
  type Metablock,
  type MetablockBody,
  sealMetablock,
} from '../../src/model/metablock.ts';
import type { Ballot, CausalSequence, Generation } from '../../src/model/numbers.ts';
import {
  type Availability,
  makeSyncGroup,
  type QuorumPolicy,
  type SyncGroup,
} from '../../src/model/sync-group.ts';
import { DurableStore } from '../sim/durable-store.ts';
import { KeyedSigner, keyedVerifier, sha256 } from '../sim/keyed-signer.ts';

export interface GroupRules {
  readonly quorumPolicy?: QuorumPolicy;
  readonly availability?: Availability;
}

export function groupOf(signers: readonly KeyedSigner[], name = 'pact', rules: GroupRules = {}) {
  return makeSyncGroup(
    sha256,
    {
      pact: toHex32(sha256(new TextEncoder().encode(name))),
      quorumPolicy: rules.quorumPolicy ?? 'two-thirds',
      availability: rules.availability ?? 'entries',
    },
    signers.map((signer) => signer.id),
  );
}

/** The signer `index` in the order of the owners: so at Level 0 its turn is `index`. */
export function signersOf(count: number): KeyedSigner[] {
  const signers = Array.from({ length: count }, (_, index) => new KeyedSigner(`owner ${index}`));
  return signers.sort((a, b) => (a.id < b.id ? -1 : 1));
}

export function contextOf(
  signer: KeyedSigner,
  more: Partial<ConsensusContext> = {},
): ConsensusContext {
  return {
    self: signer.id,
    signer,
    verifier: keyedVerifier,
    hash: sha256,
    conflicts: new TwinConflicts(),
    settings: DEFAULT_SETTINGS,
    ...more,
  };
}

export function blockOf(
  signer: KeyedSigner,
  group: SyncGroup,
  previous: Block | null,
  dependencies: readonly BlockId[] = [],
): Block {
  const header = {
    group: group.id,
    issuer: signer.id,
    sequence: ((previous?.sequence ?? 0) + 1) as CausalSequence,
    previous: previous?.id ?? null,
    dependencies: [...dependencies].sort(),
    entryCount: 1,
    byteLength: 8,
    merkleRoot: new Uint8Array(32),
    atMs: 0,
  };
  return sealBlock(sha256, header, signer.sign(encodeBlockHeader(header)));
}

export function metablockOf(
  signer: KeyedSigner,
  group: SyncGroup,
  before: Metablock | null,
  blocks: readonly Block[],
): Metablock {
  return signMetablock(signer, {
    generation: ((before?.generation ?? -1) + 1) as Generation,
    predecessors: [{ group: group.id, metablock: before?.id ?? null }],
    blocks: blocks.map((block) => block.id),
    issuer: signer.id,
  });
}

export function signMetablock(signer: KeyedSigner, body: MetablockBody): Metablock {
  return sealMetablock(sha256, body, signer.sign(encodeMetablock(body)));
}

export function certificateOf(
  signer: KeyedSigner,
  group: SyncGroup,
  metablock: Metablock,
  ballot = 0,
): Certificate {
  const body = {
    metablock: metablock.id,
    certifier: signer.id,
    entries: [{ group: group.id, ballot: ballot as Ballot }],
  };
  return sealCertificate(body, signer.sign(encodeCertificate(body)));
}

export function noteOf(signer: KeyedSigner, group: SyncGroup, ballot: number) {
  const body = { group: group.id, ballot: ballot as Ballot, owner: signer.id };
  return sealBallotNote(body, signer.sign(encodeBallotNote(body)));
}

/** One Participant, stepped by hand. What its effects store is stored. */
export class Participant {
  readonly context: ConsensusContext;
  readonly store: DurableStore;
  state: ConsensusState;
  nowMs = 1000;

  constructor(
    signer: KeyedSigner,
    groups: readonly SyncGroup[],
    more: Partial<ConsensusContext> = {},
  ) {
    this.context = contextOf(signer, more);
    this.store = new DurableStore(groups);
    this.state = restore(this.context, this.store.read(), this.nowMs);
    this.feed({ kind: 'tick' });
  }

  feed(event: ConsensusEvent): ConsensusEffect[] {
    const { state, effects } = step(this.context, this.state, event, this.nowMs);
    this.state = state;
    if (event.kind === 'block' && !this.store.blocks.has(event.block.id)) {
      this.store.stack(event.block, event.held);
    }
    for (const effect of effects) this.store.apply(effect);
    return effects;
  }

  metablock(metablock: Metablock): ConsensusEffect[] {
    return this.feed({ kind: 'metablock', metablock });
  }

  certificate(certificate: Certificate): ConsensusEffect[] {
    return this.feed({ kind: 'certificate', certificate });
  }

  block(block: Block, held = true): ConsensusEffect[] {
    return this.feed({ kind: 'block', block, held });
  }

  /** Lets time pass, then ticks. */
  wait(ms: number): ConsensusEffect[] {
    this.nowMs += ms;
    return this.feed({ kind: 'tick' });
  }

  /** Starts again with what is durable. */
  restart(): void {
    this.state = restore(this.context, this.store.read(), this.nowMs);
    this.feed({ kind: 'tick' });
  }

  group(group: SyncGroup) {
    return this.state.groups.get(group.id)!;
  }
}

export function kindsOf(effects: readonly ConsensusEffect[]): string[] {
  return effects.map((effect) => effect.kind);
}

export function only<Kind extends ConsensusEffect['kind']>(
  effects: readonly ConsensusEffect[],
  kind: Kind,
): Extract<ConsensusEffect, { kind: Kind }>[] {
  return effects.filter(
    (effect): effect is Extract<ConsensusEffect, { kind: Kind }> => effect.kind === kind,
  );
}

/** What an own Certificate of these effects is for, and at which Ballot. */
export function votesOf(effects: readonly ConsensusEffect[]): string[] {
  return only(effects, 'send-certificate').flatMap(({ certificate }) =>
    certificate.entries.map((entry) => `${certificate.metablock}@${entry.ballot}`),
  );
}
