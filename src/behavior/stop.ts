import type { BrokenCause } from '../ports/sandbox.ts';

/** Thrown through the code of a Behavior, which cannot catch it, to end its run. */
export class StopRun extends Error {
  override readonly name = 'StopRun';
  readonly how: BrokenCause | 'failed';

  constructor(how: BrokenCause | 'failed', message: string) {
    super(message);
    this.how = how;
  }
}
