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

/** Statements that make the triggers of one table. `advice` says what to do instead. */
export function guardSql(table: string, advice: string): string {
  const message = `${table} is written by vertebra alone; ${advice}`;
  // After an INSERT, which is a quarter cheaper for every row of ours than before it.
  return ['AFTER INSERT', 'BEFORE UPDATE', 'BEFORE DELETE']
    .map((event) => {
      const verb = event.slice(event.indexOf(' ') + 1);
      const name = quoteName(`vb_guard_${verb.toLowerCase()}_${table}`);
      return `CREATE TRIGGER ${name} ${event} ON ${quoteName(table)}
        WHEN (SELECT open FROM vb_guard WHERE one = 1) IS NOT 1
        BEGIN SELECT RAISE(ABORT, ${quoteText(message)}); END;`;
    })
    .join('\n');
}
