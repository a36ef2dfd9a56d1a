import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AssemblyRoom } from '../../src/gossip/fragment.ts';
import { LooseFraming } from '../../src/gossip/loose-framing.ts';
import { SeededRandom, Stage } from '../unit/gossip-stage.ts';

const FRAME_BYTES = 1_160;
const PACE = {
  smallBytes: 0,
  smallWaitingBytes: 0,
  bulkQueueBytesMax: 0,
  urgentNewsBytesMax: 0,
};

interface Said {
  readonly way: 'urgent' | 'bulk' | 'offered';
  readonly length: number;
}

const said = fc.record({
  way: fc.constantFrom('urgent' as const, 'bulk' as const, 'offered' as const),
  length: fc.integer({ min: 6, max: 5_000 }),
});

/** What becomes of one frame: how often it arrives, and how late. */
const fate = fc.record({ copies: fc.constantFrom(0, 1, 1, 1, 2), delayMs: fc.nat(80) });

/** A message that says which one it is. */
function messageOf({ length }: Said, number: number): Uint8Array {
  const message = Uint8Array.from({ length }, (_, n) => (n * 13 + number) & 0xff);
  // An item of no other meaning here, then its number.
  message.set([3, 0, 0, 0, number >>> 8, number & 0xff]);
  return message;
}

const numberOf = (message: Uint8Array) => (message[4]! << 8) | message[5]!;

interface End {
  readonly framing: LooseFraming;
  readonly heard: Uint8Array[];
  losses: number;
}

/** Two ends between which each frame meets one of the given fates. */
class Pair {
  readonly stage = new Stage();
  readonly room = new AssemblyRoom(10_000_000);
  readonly ends: readonly [End, End];
  private readonly fates: readonly { copies: number; delayMs: number }[];
  private readonly random = new SeededRandom(5);

  constructor(fates: readonly { copies: number; delayMs: number }[]) {
    this.fates = fates;
    this.ends = [this.endOf(0), this.endOf(1)];
  }

  flush(from: number): void {
    const frame = new Uint8Array(FRAME_BYTES);
    for (;;) {
      const used = this.ends[from]!.framing.fill(frame);
      if (used === 0) return;
      this.carry(1 - from, frame.slice(0, used));
    }
  }

  private endOf(index: number): End {
    const end: End = {
      framing: new LooseFraming({
        timers: this.stage,
        room: this.room,
        pace: PACE,
        tenant: {
          owner: `end ${index}`,
          onEvicted: () => {
            throw new Error('there is room');
          },
        },
        wake: () => this.stage.defer(() => this.flush(index)),
        onLoss: () => {
          end.losses += 1;
        },
      }),
      heard: [],
      losses: 0,
    };
    return end;
  }

  private carry(to: number, frame: Uint8Array): void {
    const { copies, delayMs } = this.fates[Math.floor(this.random.fraction() * this.fates.length)]!;
    // The session lets no frame through twice: what comes twice is the repetition of a part.
    if (copies === 0) return;
    this.stage.after(delayMs, () => {
      const read = this.ends[to]!.framing.read(frame);
      if (!read.ok) throw new Error(read.reason);
      this.ends[to]!.heard.push(...read.value.map((each) => each.slice()));
    });
  }
}

describe('messages over a link that loses frames', () => {
  it('arrive at most once and unaltered; what is repeated arrives', {
    timeout: 120_000,
  }, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(said, { maxLength: 20 }),
        fc.array(fate, { minLength: 1, maxLength: 10 }),
        async (list, fates) => {
          // The same fate for every frame would be no link.
          const pair = new Pair([...fates, { copies: 1, delayMs: 1 }, { copies: 1, delayMs: 3 }]);
          const all = [{ way: 'urgent', length: 20 } as Said, ...list];
          const messages = all.map(messageOf);
          all.forEach(({ way }, n) => {
            pair.ends[0].framing.push(way, messages[n]!);
          });
          pair.flush(0);
          await pair.stage.advance(120_000);
          const { heard } = pair.ends[1];
          const numbers = heard.map(numberOf);
          expect(new Set(numbers).size).toBe(numbers.length);
          for (const message of heard) expect(message).toEqual(messages[numberOf(message)]);
          const due = all.flatMap(({ way }, n) => (way === 'offered' ? [] : [n]));
          if (pair.ends[0].losses === 0) expect(numbers).toEqual(expect.arrayContaining(due));
          const bulk = numbers.filter((n) => all[n]!.way === 'bulk');
          expect(bulk).toEqual([...bulk].sort((a, b) => a - b));
          // The first word is heard first, or nothing is.
          expect(numbers[0] ?? 0).toBe(0);
        },
      ),
      { numRuns: 40 },
    );
  });

  it('end in a verdict and never in an error, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        const [, far] = new Pair([{ copies: 1, delayMs: 0 }]).ends;
        expect(typeof far.framing.read(bytes).ok).toBe('boolean');
      }),
      { numRuns: 300 },
    );
  });
});
