import type { Condition, Scope } from '../model/saga.ts';

/** The fields of an Entry of each Pact, by the Pact's name. */
type PactTypes = object;

type NameOf<Pacts> = keyof Pacts & string;
type FieldOf<Pacts> = { [Name in NameOf<Pacts>]: keyof Pacts[Name] & string }[NameOf<Pacts>];

/** One Stage as its author writes it; what is left out, its Behavior says. See docs/sagas.md. */
export interface StageDefinition<Pacts extends PactTypes> {
  readonly name: string;
  /** `./file.ts` beside the Saga's own, or the name of a Behavior that was added. */
  readonly behavior: string;
  readonly consumes?: NameOf<Pacts>;
  readonly accesses?: readonly NameOf<Pacts>[];
  readonly produces?: readonly NameOf<Pacts>[];
  readonly undo?: string | false;
  readonly binding?: readonly string[];
  readonly outside?: boolean;
  readonly by?: FieldOf<Pacts>;
  readonly when?: readonly Condition[];
  /** Milliseconds. */
  readonly within?: number;
}

export interface SagaDefinition<Pacts extends PactTypes, Initiating extends NameOf<Pacts>> {
  readonly name: string;
  readonly initiating: Initiating;
  readonly key?: keyof Pacts[Initiating] & string;
  readonly scope?: Scope;
  readonly when?: readonly Condition[];
  readonly retention?: Readonly<Record<string, number>>;
  readonly stages: readonly StageDefinition<Pacts>[];
}

/**
 * Gives a Saga's definition its types from a map of Pacts, as `defineBehavior` does:
 *
 * ```ts
 * interface Pacts { shop_order: { order_id: string } }
 * export default defineSaga<Pacts, 'shop_order'>({ ... });
 * ```
 */
export function defineSaga<
  Pacts extends PactTypes = Record<string, Record<string, unknown>>,
  Initiating extends NameOf<Pacts> = NameOf<Pacts>,
>(definition: SagaDefinition<Pacts, Initiating>): SagaDefinition<Pacts, Initiating> {
  return definition;
}
