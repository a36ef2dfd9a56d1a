/**
 * Triggers that refuse writes from outside. Our own transactions set the one row of `vb_guard` to 1
 * and back to 0 before they commit, so nobody else ever sees it at 1. Who sets it on purpose gets
 * in; `vertebra verify` finds what was changed.
 */

/** An SQL name in quotes. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function quoteText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** Advice on the table of a Pact. */
export function pushInstead(pactName: string): string {
  return `push Entries instead (vertebra push ${pactName})`;
}

/** Statements that make the triggers of one table. `advice` says what to do instead. */
export function guardSql(table: string, advice: string): string {
  // After an INSERT, which is a quarter cheaper for every row of ours than before it.
  return ['AFTER INSERT', 'BEFORE UPDATE', 'BEFORE DELETE']
    .map((event) => triggerSql(table, event, advice))
    .join('\n');
}

/**
 * Takes the trigger on INSERT away, and puts it back. SQLite copies the rows of a statement that
 * has a trigger to a temporary table first, a quarter of what a row costs; so a transaction that
 * writes many does without. Nobody else sees the table unguarded: the transaction holds the only
 * permission to write, and a rollback puts the trigger back as well.
 */
export function insertGuardSql(
  table: string,
  advice: string,
): { readonly lift: string; readonly restore: string } {
  const lift = `DROP TRIGGER IF EXISTS ${triggerName(table, 'insert')}`;
  return { lift, restore: triggerSql(table, 'AFTER INSERT', advice) };
}

function triggerName(table: string, verb: string): string {
  return quoteName(`vb_guard_${verb}_${table}`);
}

function triggerSql(table: string, event: string, advice: string): string {
  const message = `${table} is written by vertebra alone; ${advice}`;
  const verb = event.slice(event.indexOf(' ') + 1).toLowerCase();
  return `CREATE TRIGGER IF NOT EXISTS ${triggerName(table, verb)} ${event} ON ${quoteName(table)}
    WHEN (SELECT open FROM vb_guard WHERE one = 1) IS NOT 1
    BEGIN SELECT RAISE(ABORT, ${quoteText(message)}); END;`;
}
