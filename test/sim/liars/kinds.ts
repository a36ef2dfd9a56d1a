import type { Liar } from '../behaviour.ts';
import type { Prng } from '../prng.ts';
import type { LiarKind } from '../scenario.ts';
import { makeBabbler } from './babbler.ts';
import { makeBrancher } from './brancher.ts';
import { makeCensor } from './censor.ts';
import { makeCutter } from './cutter.ts';
import { makeDoubleVoter } from './double-voter.ts';
import { makeEquivocator } from './equivocator.ts';
import { makeFlooder } from './flooder.ts';
import { makeForger } from './forger.ts';
import { makeForker } from './forker.ts';
import { makeGrinder } from './grinder.ts';
import { makeIdler } from './idler.ts';
import { makeLeaper } from './leaper.ts';
import { makeReplayer } from './replayer.ts';
import { makeUsurper } from './usurper.ts';
import { makeWithholder } from './withholder.ts';

export const LIARS: Readonly<Record<LiarKind, (prng: Prng) => Liar>> = {
  equivocator: makeEquivocator,
  forker: makeForker,
  brancher: makeBrancher,
  'double-voter': makeDoubleVoter,
  withholder: makeWithholder,
  idler: makeIdler,
  grinder: makeGrinder,
  replayer: makeReplayer,
  forger: makeForger,
  babbler: makeBabbler,
  leaper: makeLeaper,
  flooder: makeFlooder,
  censor: makeCensor,
  usurper: makeUsurper,
  cutter: makeCutter,
};

/** Those that make sense in every scenario. */
export const LIAR_KINDS = (Object.keys(LIARS) as readonly LiarKind[]).filter(
  (kind) => kind !== 'usurper' && kind !== 'cutter',
);
