import type { Pact } from '../model/pact.ts';
import { quoteName } from './guard.ts';

/** The tables of a Pact with a key: its Entries, and the current state. */
export interface StateTables {
  readonly table: string;
  readonly now: string;
}

/** Do two rows tell of the same thing? */
function sameKey(pact: Pact, one: string, other: string): string {
  return pact.key
    .map((name) => `${one}.${quoteName(name)} = ${other}.${quoteName(name)}`)
    .join(' AND ');
}

function columnsOf(pact: Pact, group: string): string {
  const names = pact.fields.map(({ name }) => quoteName(name));
  return [...names, group, '_seq', '_entry', '_block', '_issuer', '_at', '_cause'].join(', ');
}

/**
 * Groups before a group, and the last Entry of each that belongs to it. Numbers of Entries go on
 * from one to the next, so on one line no two Entries share one.
 */
const LINE = `line (tip, number, last) AS (
  SELECT number, number, 9007199254740991 FROM vb_group
  UNION
  SELECT line.tip, p.number, min(line.last, g.start_seq) FROM line
    JOIN vb_group g ON g.number = line.number JOIN vb_group p ON p.id = g.predecessor)`;

/** Moves a current state to the group that goes on: from `@from` to `@to`. */
export function moveNowSql({ now }: StateTables): string {
  return `UPDATE ${quoteName(now)} SET _group = @to WHERE _group = @from`;
}

/**
 * Gives the group `@to` the current state that `@from` had at its Entry `@last`: what stands there
 * still, then what has changed since, out of the history.
 */
export function copyNowSql({ table, now }: StateTables, pact: Pact): readonly [string, string] {
  const into = `INSERT OR IGNORE INTO ${quoteName(now)} (${columnsOf(pact, '_group')})`;
  const as = columnsOf(pact, '@to');
  const key = pact.key.map((name) => `t.${quoteName(name)}`).join(', ');
  return [
    `${into} SELECT ${as} FROM ${quoteName(now)} WHERE _group = @from AND _seq <= @last`,
    `WITH RECURSIVE line (number, last) AS (
      SELECT @from, @last
      UNION
      SELECT p.number, min(line.last, g.start_seq) FROM line
        JOIN vb_group g ON g.number = line.number JOIN vb_group p ON p.id = g.predecessor)
    ${into} SELECT ${as} FROM (
      SELECT t.*, row_number() OVER (PARTITION BY ${key} ORDER BY t._seq DESC) AS _rank
        FROM line JOIN ${quoteName(table)} t ON t._group = line.number AND t._seq <= line.last
      ) WHERE _rank = 1`,
  ];
}

/**
 * A row of the current state that is not a copy of an Entry's row of its group's line. What copies
 * a row below a cut has nothing to be compared with.
 */
export function forgedNowSql({ table, now }: StateTables, pact: Pact): string {
  const own = ['_entry', '_block', '_issuer', '_at', '_cause'];
  const same = [...pact.fields.map(({ name }) => name), ...own]
    .map(quoteName)
    .map((column) => `n.${column} IS t.${column}`)
    .join(' AND ');
  return `WITH RECURSIVE ${LINE}
    SELECT n._group, n._seq FROM ${quoteName(now)} n WHERE NOT EXISTS (
      SELECT 1 FROM line JOIN ${quoteName(table)} t ON t._group = line.number AND t._seq = n._seq
      WHERE line.tip = n._group AND n._seq <= line.last AND ${same})
    AND n._seq > (SELECT max(min(g.cut_seq, line.last)) FROM line
      JOIN vb_group g ON g.number = line.number WHERE line.tip = n._group) LIMIT 1`;
}

/**
 * An Entry's row that the current state of its key has missed: in its own group, unless that handed
 * over, and in all that went on from it.
 */
export function missedNowSql({ table, now }: StateTables, pact: Pact): string {
  return `WITH RECURSIVE ${LINE}
    SELECT t._group, t._seq FROM ${quoteName(table)} t
      JOIN line ON line.number = t._group AND t._seq <= line.last
      JOIN vb_group tip ON tip.number = line.tip
      JOIN vb_group own ON own.number = t._group AND t._seq > own.cut_seq
      WHERE NOT EXISTS (SELECT 1 FROM vb_group next WHERE next.predecessor = tip.id
        AND next.origin = 'hand-over' AND next.start_seq >= t._seq)
      AND NOT EXISTS (SELECT 1 FROM ${quoteName(now)} n
        WHERE n._group = line.tip AND ${sameKey(pact, 'n', 't')} AND n._seq >= t._seq) LIMIT 1`;
}
