import type { PulledEntry } from '../../src/participant/face.ts';

/** Everything that any Participant ever said is final. */
export class Ledger {
  /** Contradictions; empty as long as all is well. */
  readonly contradictions: string[] = [];
  private readonly entries = new Map<number, string>();
  private readonly promised = new Set<string>();

  /** A Participant says that this Entry is final at this sequence number. */
  observe(who: string, pulled: PulledEntry): void {
    const { sequence, block, index } = pulled;
    const said = `${keyOf(pulled.entry)} in ${block} at ${index}`;
    const known = this.entries.get(sequence);
    if (known === undefined) this.entries.set(sequence, said);
    else if (known !== said) {
      this.contradictions.push(`${sequence}: ${who} says ${said}, it was ${known}`);
    }
  }

  /** A Participant answered that this Entry, which was pushed there, is final. */
  promise(entry: Readonly<Record<string, unknown>>): void {
    this.promised.add(keyOf(entry));
  }

  get size(): number {
    return this.entries.size;
  }

  get promises(): number {
    return this.promised.size;
  }

  /** What a Participant lacks, gives another number, or has twice of what was ever said. */
  faultsOf(who: string, pulled: readonly PulledEntry[]): string[] {
    const faults: string[] = [];
    const there = new Map(pulled.map((each) => [each.sequence, each] as const));
    for (const each of pulled) this.observe(who, each);
    for (const sequence of this.entries.keys()) {
      if (!there.has(sequence)) faults.push(`${who} lacks the final Entry ${sequence}`);
    }
    const keys = pulled.map((each) => keyOf(each.entry));
    const known = new Set(keys);
    for (const each of this.promised) {
      if (!known.has(each)) faults.push(`${who} lacks ${each}, which was promised to be final`);
    }
    if (known.size !== keys.length) faults.push(`${who} has an Entry twice`);
    const isGapless = pulled.every((each, index) => each.sequence === index + 1);
    if (!isGapless) faults.push(`${who} leaves out or repeats a sequence number`);
    return faults.concat(this.contradictions);
  }
}

function keyOf(entry: Readonly<Record<string, unknown>> | null): string {
  return entry === null ? 'nothing' : `${String(entry['writer'])} ${String(entry['count'])}`;
}
