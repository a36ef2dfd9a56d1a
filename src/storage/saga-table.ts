import { fromHex, toHex32 } from '../model/bytes.ts';
import type { EntrySequence } from '../model/numbers.ts';
import type { InvocationId } from '../model/saga.ts';
import { isOpen, type Progress, type ScopeValue } from '../model/saga-progress.ts';
import type { GroupId } from '../model/sync-group.ts';
import type { SagaNotes } from '../ports/saga-notes.ts';
import type { Connection, Query } from './connection.ts';
import { toBlob, toBlobOrNull, toBytes, toIdOrNull, toNumber, toText } from './sql-value.ts';

/** Ended invocations that are remembered of one State group: a late State finds that it ended. */
const ENDED_MAX = 100_000;

/** What the Saga runtime keeps. Bodies are JSON: ours alone, read by no other Participant. */
export class SagaTable implements SagaNotes {
  private readonly sql: Readonly<Record<keyof typeof SQL, Query>>;

  constructor(connection: Connection) {
    this.sql = Object.fromEntries(
      Object.entries(SQL).map(([name, text]) => [name, connection.prepare(text)]),
    ) as Record<keyof typeof SQL, Query>;
  }

  progress(invocation: InvocationId): Progress | null {
    const row = this.sql.find.get(toBlob(invocation));
    return row === undefined ? null : toProgress(row['body']);
  }

  putProgress(progress: Progress): void {
    const open = isOpen(progress) ? 1 : 0;
    const group = toBlob(progress.stateGroup);
    this.sql.put.run({
      id: toBlob(progress.invocation),
      group,
      open,
      body: JSON.stringify(progress),
    });
    if (open === 0) this.sql.prune.run(group, group, ENDED_MAX);
  }

  open(): Progress[] {
    return this.sql.open.all().map((row) => toProgress(row['body']));
  }

  recent(stateGroup: GroupId, limit: number): Progress[] {
    return this.sql.recent.all(toBlob(stateGroup), limit).map((row) => toProgress(row['body']));
  }

  scope(stateGroup: GroupId, scope: string): ScopeValue | null {
    const row = this.sql.scope.get(toBlob(stateGroup), fromHex(scope));
    if (row === undefined) return null;
    return {
      sequence: toNumber(row['sequence']) as EntrySequence,
      state: row['value'] === null ? null : new Uint8Array(toBytes(row['value'])),
      heldBy: toIdOrNull(row['held']),
    };
  }

  putScope(stateGroup: GroupId, scope: string, value: ScopeValue): void {
    const { sequence, heldBy, state } = value;
    const held = toBlobOrNull(heldBy);
    this.sql.putScope.run(toBlob(stateGroup), fromHex(scope), sequence, held, state);
  }

  cursor(group: GroupId): number {
    const row = this.sql.cursor.get(toBlob(group));
    return row === undefined ? 0 : toNumber(row['sequence']);
  }

  putCursor(group: GroupId, sequence: number): void {
    this.sql.putCursor.run(toBlob(group), sequence);
  }
}

function toProgress(body: unknown): Progress {
  const read = JSON.parse(toText(body as string)) as Progress;
  return { ...read, invocation: toHex32(fromHex(read.invocation)) };
}

const SQL = {
  find: 'SELECT body FROM vb_invocation WHERE id = ?',
  put: `INSERT INTO vb_invocation (id, group_id, open, body) VALUES (@id, @group, @open, @body)
    ON CONFLICT (id) DO UPDATE
    SET group_id = excluded.group_id, open = excluded.open, body = excluded.body`,
  open: 'SELECT body FROM vb_invocation WHERE open = 1 AND number > 0 ORDER BY number',
  recent: 'SELECT body FROM vb_invocation WHERE group_id = ? ORDER BY number DESC LIMIT ?',
  prune: `DELETE FROM vb_invocation WHERE open = 0 AND group_id = ? AND number <=
    (SELECT number FROM vb_invocation WHERE group_id = ? ORDER BY number DESC LIMIT 1 OFFSET ?)`,
  scope: 'SELECT sequence, held, value FROM vb_saga_value WHERE group_id = ? AND scope = ?',
  putScope: `INSERT INTO vb_saga_value VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (group_id, scope) DO UPDATE
    SET sequence = excluded.sequence, held = excluded.held, value = excluded.value`,
  cursor: 'SELECT sequence FROM vb_saga_cursor WHERE group_id = ?',
  putCursor: `INSERT INTO vb_saga_cursor VALUES (?, ?)
    ON CONFLICT (group_id) DO UPDATE SET sequence = excluded.sequence`,
} as const;
