import type { Liar } from '../behaviour.ts';
import type { Message } from '../message.ts';
import type { Prng } from '../prng.ts';
import { sideOf } from './craft.ts';

/** Keeps back its Certificates, the Entries of its Blocks, its Metablocks, or its answers. */
export function makeWithholder(prng: Prng): Liar {
  const kept = new Set<Message['kind'] | 'entries'>(
    (['certificate', 'entries', 'metablock', 'ballot-note', 'digest'] as const).filter(() =>
      prng.chance(0.5),
    ),
  );
  /** From whom: from some always, or from anybody now and then. */
  const isConstant = prng.chance(0.5);
  return {
    act: () => {},
    speak(_node, to, message, chance) {
      const isFor = isConstant ? sideOf(to) === 1 : chance.chance(0.7);
      if (!isFor) return [message];
      if (message.kind === 'block' && kept.has('entries')) return [{ ...message, held: false }];
      return kept.has(message.kind) ? [] : [message];
    },
  };
}
