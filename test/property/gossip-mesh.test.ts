import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { House, type Resident } from '../unit/gossip-house.ts';
import { idOf, payloadOf } from '../unit/gossip-samples.ts';

const NAMES = ['a', 'b', 'c', 'd', 'e'] as const;
const GROUP = idOf('group');
const VOTERS = [idOf('a'), idOf('b')] as const;

/** Something that happens to a mesh; nodes are counted modulo how many there are. */
const event = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('issue' as const), node: fc.nat() }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('extend' as const), node: fc.nat() }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('cut' as const), node: fc.nat() }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('mend' as const), node: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const), node: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('pause' as const), node: fc.nat() }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('resume' as const), node: fc.nat() }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('wait' as const), node: fc.nat(20_000) }) },
);

const scene = fc.record({
  count: fc.integer({ min: 2, max: NAMES.length }),
  parents: fc.array(fc.nat(), { minLength: 5, maxLength: 5 }),
  both: fc.array(fc.boolean(), { minLength: 5, maxLength: 5 }),
  query: fc.constantFrom('', '?compress=1'),
  events: fc.array(event, { maxLength: 40 }),
});

type Scene = typeof scene extends fc.Arbitrary<infer Value> ? Value : never;

/** Patience is short here, so that what a mesh does in minutes takes few steps. */
const SETTINGS = { pingMs: 4_000, digestMs: 4_000, backoffMaxMs: 4_000, bulkQueueBytesMax: 20_000 };

class Play {
  readonly house = new House();
  readonly residents: Resident[] = [];
  private readonly dials: { from: number; to: number }[] = [];
  private sequence = 0;
  private query = '';

  async begin({ count, parents, both, query }: Scene): Promise<void> {
    this.query = query;
    for (const name of NAMES.slice(0, count)) {
      this.residents.push(await this.house.add(name, SETTINGS, { query }));
    }
    for (let node = 1; node < count; node++) {
      const parent = parents[node]! % node;
      this.dials.push({ from: node, to: parent });
      if (both[node]) this.dials.push({ from: parent, to: node });
    }
    for (const { from, to } of this.dials) this.residents[from]!.mesh.dial(this.urlOf(to));
  }

  async run(events: Scene['events']): Promise<void> {
    for (const { kind, node: number } of events) {
      const node = number % this.residents.length;
      const { holder, cable, mesh } = this.residents[node]!;
      this.sequence += 1;
      if (kind === 'issue') {
        const length = [30, 3_000, 15_000][this.sequence % 3]!;
        holder.issue(idOf(`sole ${node}`), payloadOf(length));
      } else if (kind === 'extend') {
        // One that makes the chain, as turns see to in a real World.
        const { holder: maker } = this.residents[0]!;
        maker.extend(GROUP, [maker.issue(GROUP, payloadOf(500))], VOTERS);
      } else if (kind === 'cut') cable.isCut = true;
      else if (kind === 'mend') cable.isCut = false;
      else if (kind === 'pause') mesh.pause();
      else if (kind === 'resume') mesh.resume();
      else if (kind === 'restart') await this.restart(node);
      else await this.house.stage.advance(number);
    }
  }

  /** After this nothing goes wrong any more. */
  heal(): void {
    for (const { cable, mesh } of this.residents) {
      cable.isCut = false;
      mesh.resume();
    }
  }

  isAlike(): boolean {
    const digests = this.residents.map(({ holder }) => JSON.stringify(holder.digest()));
    return digests.every((each) => each === digests[0]);
  }

  /** A process that is killed says no good-bye, and comes back with what it had kept. */
  private async restart(node: number): Promise<void> {
    const before = this.residents[node]!;
    before.cable.isCut = true;
    await this.house.close(before);
    const { name, holder } = before;
    const { query } = this;
    this.residents[node] = await this.house.add(name, SETTINGS, { holder, query });
    for (const { from, to } of this.dials) {
      if (from === node) this.residents[node]!.mesh.dial(this.urlOf(to));
    }
  }

  private urlOf(node: number): string {
    return `memory:${NAMES[node]}${this.query}`;
  }
}

describe('a mesh', () => {
  it('comes to stand alike everywhere, whatever happened before it was left in peace', async () => {
    await fc.assert(
      fc.asyncProperty(scene, async (each) => {
        const play = new Play();
        await play.begin(each);
        await play.run(each.events);
        play.heal();
        await play.house.stage.until(() => play.isAlike(), 240_000, 500);
        // Left in peace it falls nearly silent, and nobody waits for anything.
        await play.house.stage.advance(120_000);
        const sent = play.residents.map(({ mesh }) => mesh.status().totals.bytesSent);
        await play.house.stage.advance(60_000);
        for (const [node, { mesh }] of play.residents.entries()) {
          const { totals, wantedIds, openRanges, peers } = mesh.status();
          expect(totals.bytesSent - sent[node]!).toBeLessThan(peers.length * 2_000);
          expect([wantedIds, openRanges]).toEqual([0, 0]);
        }
      }),
      { numRuns: 60 },
    );
  }, 120_000);
});
