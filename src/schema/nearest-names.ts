/** How many names a message lists. */
const SHOWN_MAX = 5;
/** Of longer names only this much is compared. */
const COMPARED_CHARS = 48;

/** Least number of characters to insert, delete or exchange to get from one text to the other. */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const same = from[i - 1] === to[j - 1] ? 0 : 1;
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + same));
    }
    row = next;
  }
  return row[to.length]!;
}

/** The names most like `name`, nearest first, at most five. */
export function nearestNames(name: string, names: readonly string[]): readonly string[] {
  const wanted = name.slice(0, COMPARED_CHARS);
  return names
    .map((each) => ({ each, distance: editDistance(wanted, each) }))
    .sort((a, b) => a.distance - b.distance)
    .slice(0, SHOWN_MAX)
    .map(({ each }) => each);
}
