import type { ConsensusContext } from '../consensus/metablockchain.ts';
import type { HashFunction } from '../model/bytes.ts';
import type { PayloadLimits } from '../model/payload.ts';
import type { AvatarId } from '../model/sync-group.ts';
import type { Timers } from '../ports/clock.ts';
import type { Packer } from '../ports/packer.ts';
import type { PactReader } from '../ports/pacts.ts';
import type { Signer, Verifier } from '../ports/signer.ts';
import type { Store } from '../ports/store.ts';
import type { BuiltInPacts } from '../schema/built-in.ts';
import type { Config } from './config.ts';
import type { Logger } from './log.ts';

/** What every part of the Participant works with; made once. */
export interface Core {
  readonly self: AvatarId;
  readonly config: Config;
  readonly log: Logger;
  readonly timers: Timers;
  readonly store: Store;
  readonly hash: HashFunction;
  readonly packer: Packer;
  readonly signer: Signer;
  readonly verifier: Verifier;
  readonly reader: PactReader;
  readonly limits: PayloadLimits;
  readonly consensus: ConsensusContext;
  /** Pacts that every Participant knows from the start. */
  readonly builtIn: BuiltInPacts;
}
