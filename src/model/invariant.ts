/**
 * A bug of ours: a condition that our own code promises did not hold. Caught nowhere below `main`.
 */
export class InvariantError extends Error {
  override readonly name = 'InvariantError';
}

/** @throws InvariantError when `condition` is false; `message` says what should have held. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new InvariantError(message);
}
