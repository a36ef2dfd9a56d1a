import { toHex32 } from '../model/bytes.ts';
import type { EntrySequence } from '../model/numbers.ts';
import type { EntryValue } from '../model/pact.ts';
import { OWNERS_MAX } from '../model/sync-group.ts';
import { PactError } from '../ports/pacts.ts';
import type { DecodedEntries } from '../ports/store.ts';
import type { Core } from './core.ts';
import { deriveGroup } from './registry.ts';
import type { Turn, WaitingGroup } from './turn.ts';

/**
 * Acts on Finalized Entries of the built-in Pacts: a Pact that somebody deployed becomes known with
 * its tables, a Sync Group with its owners. They come in any order.
 */
export class Deploying {
  private readonly core: Core;
  private readonly onGroup: (turn: Turn, group: ReturnType<typeof deriveGroup>) => void;

  constructor(core: Core, onGroup: (turn: Turn, group: ReturnType<typeof deriveGroup>) => void) {
    this.core = core;
    this.onGroup = onGroup;
  }

  /** After a start: Sync Groups whose Pact had not come are waited for again. */
  recall(turn: Turn): void {
    const { store, builtIn, reader } = this.core;
    const codec = reader.codecOf(builtIn.group);
    for (const group of turn.registry.allGroups()) {
      if (group.pact !== builtIn.group.id) continue;
      for (const stored of store.entries(
        group.id,
        1 as EntrySequence,
        this.core.config.groupsMax,
      )) {
        const values = stored.bytes === null ? null : codec.decode(stored.bytes);
        if (values?.ok) this.observeGroup(turn, values.value);
      }
    }
  }

  /** Inside the turn's transaction. */
  observe(turn: Turn, entries: DecodedEntries): void {
    for (const row of entries.rows) {
      if (entries.pact === this.core.builtIn.pact.id) this.observePact(turn, row);
      else if (entries.pact === this.core.builtIn.group.id) this.observeGroup(turn, row);
    }
  }

  private observePact(turn: Turn, row: readonly EntryValue[]): void {
    const definition = row[1];
    if (typeof definition !== 'string') return;
    try {
      const pact = this.core.reader.readDefinition(definition);
      if (turn.registry.pact(pact.id) !== undefined) return;
      if (turn.registry.allPacts().length >= this.core.config.pactsMax) {
        this.core.log.warn('pact-refused', { name: pact.name, reason: 'pactsMax reached' });
        return;
      }
      const table = this.core.store.putPact(pact);
      turn.registry.addPact(pact);
      this.core.log.info('pact-known', { name: pact.name, id: pact.id, table });
    } catch (cause) {
      if (!(cause instanceof PactError)) throw cause;
      this.core.log.warn('pact-refused', { path: cause.path, reason: cause.message });
      return;
    }
    const { waiting } = turn;
    turn.waiting = [];
    for (const each of waiting) this.makeGroup(turn, each);
  }

  private observeGroup(turn: Turn, row: readonly EntryValue[]): void {
    const [pact, owners] = row;
    if (!(pact instanceof Uint8Array) || !Array.isArray(owners)) return;
    const keys = owners.filter((each) => each instanceof Uint8Array && each.length === 32);
    if (pact.length !== 32 || keys.length !== owners.length) return;
    if (keys.length < 1 || keys.length > OWNERS_MAX) return;
    this.makeGroup(turn, { pact: toHex32(pact), owners: keys.map((each) => toHex32(each)) });
  }

  private makeGroup(turn: Turn, wanted: WaitingGroup): void {
    const pact = turn.registry.pact(wanted.pact);
    if (pact === undefined) {
      if (turn.waiting.length < this.core.config.groupsMax)
        turn.waiting = [...turn.waiting, wanted];
      return;
    }
    const group = deriveGroup(this.core.hash, pact, wanted.owners);
    if (turn.registry.group(group.id) !== undefined) return;
    if (turn.registry.groupCount >= this.core.config.groupsMax) {
      this.core.log.warn('group-refused', { pact: pact.name, reason: 'groupsMax reached' });
      return;
    }
    this.core.store.putGroup(group);
    turn.registry.addGroup(group);
    this.core.log.info('group-known', {
      pact: pact.name,
      id: group.id,
      owners: group.owners.length,
    });
    this.onGroup(turn, group);
  }
}
