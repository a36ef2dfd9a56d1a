import { describe, expect, it } from 'vitest';
import { answerRange } from '../../src/gossip/answers.ts';
import type { Range } from '../../src/gossip/messages.ts';
import { GOSSIP_SETTINGS } from '../../src/gossip/settings.ts';
import type { CausalSequence, Level } from '../../src/model/numbers.ts';
import { Holder } from './gossip-holder.ts';
import { cutOf, idOf, metablockOf } from './gossip-samples.ts';

const GROUP = idOf('group');
const ADA = idOf('ada');

/** A holder of so many Blocks of Ada, who throws the first four away. */
function holderOf(blocks: number): Holder {
  const holder = new Holder(ADA);
  const log = Array.from({ length: blocks }, () => holder.issue(GROUP));
  const metablock = metablockOf({
    group: GROUP,
    issuer: ADA,
    generation: 4,
    predecessor: null,
    blocks: [],
  });
  const cut = cutOf(GROUP, { level: 4, metablock }, [log[3]!]);
  holder.begins = { cut, metablock };
  return holder;
}

function answerTo(range: Range) {
  const answer = [...answerRange(holderOf(6), range, GOSSIP_SETTINGS)].map(
    ({ message }) => message,
  );
  return {
    kinds: answer.map((each) => (each.kind === 'item' ? each.item.kind : each.kind)),
    end: answer.at(-1),
  };
}

describe('whoever asks for what was thrown away', () => {
  it('of a chain gets the cut, and goes on above it', () => {
    const { kinds, end } = answerTo({ range: 'chain', group: GROUP, from: 2 as Level });
    expect(kinds).toEqual(['cut', 'chunk-end']);
    expect(end).toMatchObject({ next: 5 });
  });

  it('of a causal log gets the cut, and then the Blocks above it', () => {
    const range = {
      range: 'causal',
      group: GROUP,
      issuer: ADA,
      from: 2 as CausalSequence,
    } as const;
    const { kinds, end } = answerTo(range);
    expect(kinds).toEqual(['cut', 'block', 'block', 'chunk-end']);
    expect(end).toMatchObject({ next: 7, end: 7 });
  });

  it('and is above the cut already gets no cut', () => {
    const range = {
      range: 'causal',
      group: GROUP,
      issuer: ADA,
      from: 5 as CausalSequence,
    } as const;
    expect(answerTo(range).kinds).toEqual(['block', 'block', 'chunk-end']);
  });
});
