/** What was asked for makes no sense; the message is for people. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Reads `--name value` and `--json`. @throws UsageError for what is not among `names`. */
export function readOptions(
  args: readonly string[],
  names: readonly string[],
): ReadonlyMap<string, string> {
  const options = new Map<string, string>();
  for (let at = 0; at < args.length; at++) {
    const name = args[at]!.replace(/^--/, '');
    if (name === args[at] || !(name === 'json' || names.includes(name))) {
      const known = names.map((each) => `--${each}`).join(', ');
      throw new UsageError(`${args[at]} is none of ${known}, --json`);
    }
    if (options.has(name)) throw new UsageError(`--${name} stands there twice`);
    if (name === 'json') {
      options.set(name, '');
      continue;
    }
    const value = args[++at];
    if (value === undefined || value.startsWith('--')) {
      throw new UsageError(`--${name} wants a value`);
    }
    options.set(name, value);
  }
  return options;
}

/** @throws UsageError unless `text` is a whole number from `min` to `max`. */
export function readCount(text: string, name: string, [min, max]: readonly [number, number]) {
  const count = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(count >= min && count <= max)) {
    throw new UsageError(`${name}: ${text} is not a whole number from ${min} to ${max}`);
  }
  return count;
}

export function readChoice<Choice extends string>(
  text: string,
  name: string,
  choices: readonly Choice[],
): Choice {
  const choice = choices.find((each) => each === text);
  if (choice === undefined) {
    throw new UsageError(`${name}: ${text} is none of ${choices.join(', ')}`);
  }
  return choice;
}
