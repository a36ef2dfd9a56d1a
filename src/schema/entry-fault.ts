import { ENTRY_ITEMS_MAX } from './shape.ts';

/** Thrown inside a codec and turned into a verdict at its edge: this Entry breaks its Pact. */
export class EntryFault extends Error {
  override readonly name = 'EntryFault';
  /** Field, and the way into it: `tags/3`. Empty where the Entry as a whole is wrong. */
  readonly field: string;

  constructor(field: string, message: string) {
    super(message);
    this.field = field;
  }
}

export function tooManyItems(field: string): EntryFault {
  const message = `the arrays of an Entry have at most ${ENTRY_ITEMS_MAX} items in all`;
  return new EntryFault(field, message);
}
