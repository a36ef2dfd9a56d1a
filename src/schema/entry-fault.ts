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
