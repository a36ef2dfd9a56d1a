import type { Json, JsonRecord } from '../ports/sandbox.ts';

/**
 * What an author of a Behavior in TypeScript or JavaScript sees: `import { defineBehavior } from
 * 'vertebra/behavior'`. Types of Entries come from a map of the Pacts' names:
 *
 * ```ts
 * interface Pacts {
 *   reading: { celsius: number };
 *   fan_order: { on: boolean };
 * }
 * export default defineBehavior<Pacts, 'reading'>({
 *   name: 'guard',
 *   consumes: ['reading'],
 *   produces: ['fan_order'],
 *   run(ctx) {
 *     if (ctx.entry.celsius >= 60) ctx.produce('fan_order', { on: true });
 *   },
 * });
 * ```
 */
export function defineBehavior<
  Pacts extends PactTypes = AnyPacts,
  Consumed extends keyof Pacts = keyof Pacts,
>(definition: NoInfer<BehaviorDefinition<Pacts, Consumed>>): BehaviorDefinition<Pacts, Consumed> {
  return definition;
}

/** The fields of an Entry of each Pact, by the Pact's name. */
export type PactTypes = object;
export type AnyPacts = Record<string, JsonRecord>;

type NameOf<Pacts> = keyof Pacts & string;

/** What a Behavior declares of itself, and what it does. All lists may be left out. */
export interface BehaviorDefinition<Pacts, Consumed extends keyof Pacts> {
  /** `[a-z][a-z0-9_]*`; the name of the file where it is left out. */
  readonly name?: string;
  readonly consumes?: readonly NameOf<Pacts>[];
  readonly accesses?: readonly NameOf<Pacts>[];
  readonly produces?: readonly NameOf<Pacts>[];
  /** Devices by the name they have in the configuration; `moves` is true where left out. */
  readonly devices?: readonly (string | { readonly name: string; readonly moves?: boolean })[];
  /** Capabilities and labels of where it may run: `gpio`, `site=greenhouse-3`. */
  readonly requires?: readonly string[];
  readonly limits?: {
    readonly memoryBytes?: number;
    readonly fuel?: number;
    readonly outputBytes?: number;
    readonly stateBytes?: number;
  };
  /** May it move its devices twice for one invocation? False where left out. */
  readonly idempotent?: boolean;
  run(ctx: BehaviorContext<Pacts, Pacts[Consumed]>): void | Promise<void>;
  /** Takes back what `run` did. */
  undo?(ctx: BehaviorContext<Pacts, Pacts[Consumed]>): void | Promise<void>;
}

/** All that a Behavior can reach. Refusals of the host are exceptions, which it may catch. */
export interface BehaviorContext<Pacts, Entry> {
  readonly purpose: 'run' | 'undo';
  /** The consumed Entry; null where a Saga calls without one. */
  readonly entry: Entry;
  /** The name of its Pact. */
  readonly pact: string | null;
  /** The Saga Invocation, in hex. */
  readonly invocation: string;
  readonly step: number;
  /** Unix milliseconds of the consumed Entry: the only clock. `Date.now()` says it too. */
  readonly at: number;
  readonly state: BehaviorState;
  /** Entries of an accessed Pact as they were at the agreed place; the newest first. */
  query<Name extends NameOf<Pacts>>(pact: Name, options?: QueryOptions<Pacts[Name]>): Pacts[Name][];
  /** Produces an Entry; it takes effect when the Saga State that lists it is final. */
  produce<Name extends NameOf<Pacts>>(pact: Name, entry: Pacts[Name]): void;
  /** Ends the run: the Stage has failed, for this reason. */
  fail(reason: string): never;
  /** A declared device: each of its methods is a verb. */
  device(name: string): Device;
  /** From 0 to below 1; the same for the same invocation and step, as is `Math.random()`. */
  random(): number;
  log(...parts: unknown[]): void;
}

/** The state of the Saga's scope: invocation, key or Saga. A JSON value. */
export interface BehaviorState {
  get<Value = Json>(): Value | null;
  set(value: unknown): void;
}

export interface QueryOptions<Entry> {
  /** Fields that have to have these values. */
  readonly where?: Partial<Entry>;
  /** At most 1000; 100 where left out. */
  readonly limit?: number;
  readonly order?: 'newest' | 'oldest';
}

/** The verbs of all kinds; docs/hardware.md says what each kind can. Another one is refused. */
export interface Device {
  get(): Json;
  set(level: boolean | 0 | 1): Json;
  pulse(level: boolean | 0 | 1, ms: number): Json;
  /** @param share 0 to 1. */
  pwm(share: number): Json;
  /** @param left and right: -1 to 1. */
  drive(left: number, right: number): Json;
  /** To its safe state. */
  stop(): Json;
}
