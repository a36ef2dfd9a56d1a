import { setTimeout as pause } from 'node:timers/promises';

const POLL_MS = 25;

/** No answer yet. */
type None = null | undefined | false;

/** What did not come to pass in time. */
export class LateError extends Error {
  override readonly name = 'LateError';
}

/**
 * Asks again and again until there is an answer.
 *
 * @param what For the error, when the time is up.
 * @param look The answer, or null, undefined or false as long as there is none. What it throws is
 * thrown.
 */
export async function until<Answer>(
  what: string,
  look: () => Promise<Answer | None> | Answer | None,
  { withinMs = 30_000, detail = () => '' }: { withinMs?: number; detail?: () => string } = {},
): Promise<Answer> {
  const endMs = performance.now() + withinMs;
  for (;;) {
    const answer = await look();
    if (answer !== null && answer !== undefined && answer !== false) return answer;
    if (performance.now() > endMs) {
      throw new LateError(`${withinMs / 1000} s in vain until ${what}\n${detail()}`);
    }
    await pause(POLL_MS);
  }
}

/** Lets others run for so long, where what is tested is that nothing happens meanwhile. */
export function elapse(ms: number): Promise<void> {
  return pause(ms);
}
