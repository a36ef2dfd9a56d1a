import {
  type BehaviorKind,
  type BehaviorLimits,
  type BehaviorManifest,
  type DeviceUse,
  faultOfBehavior,
  type PactUse,
  STANDARD_LIMITS,
  sortUses,
} from '../model/behavior.ts';
import type { Hex32 } from '../model/bytes.ts';
import type { PactId } from '../model/sync-group.ts';
import { accept, refuse, type Verdict } from '../model/verdict.ts';
import type { JsonRecord } from '../ports/sandbox.ts';

export type DeclaredRefusal = 'declaration-malformed' | 'pact-unknown';

/** What is known of code whatever its author says. */
export interface CodeFacts {
  readonly kind: BehaviorKind;
  readonly codeHash: Hex32;
  readonly undoes: boolean;
  /** Taken where the author gives no name; what no name may hold becomes `_`. */
  readonly fileName: string;
}

/** Thrown inside `readDeclared` alone. */
class DeclaredError extends Error {
  override readonly name = 'DeclaredError';
  readonly reason: DeclaredRefusal;

  constructor(reason: DeclaredRefusal, message: string) {
    super(message);
    this.reason = reason;
  }
}

const KEYS = new Set([
  ...['name', 'consumes', 'accesses', 'produces', 'devices', 'requires', 'limits', 'idempotent'],
]);

/**
 * Makes a manifest of what an author declares (`BehaviorDefinition` in author.ts, or the JSON file
 * beside a WebAssembly module).
 *
 * @param find Finds the Pact of a name, as the one who adds the Behavior knows it.
 */
export function readDeclared(
  declared: JsonRecord,
  facts: CodeFacts,
  find: (name: string) => PactId | null,
): Verdict<BehaviorManifest, DeclaredRefusal> {
  try {
    const manifest = manifestOf(declared, facts, find);
    const fault = faultOfBehavior(manifest);
    return fault === null ? accept(manifest) : refuse('declaration-malformed', fault);
  } catch (cause) {
    if (cause instanceof DeclaredError) return refuse(cause.reason, cause.message);
    throw cause;
  }
}

function manifestOf(
  declared: JsonRecord,
  facts: CodeFacts,
  find: (name: string) => PactId | null,
): BehaviorManifest {
  for (const key of Object.keys(declared)) if (!KEYS.has(key)) wrong(`${key} is not known`);
  const uses = (list: string) => sortUses(namesIn(declared, list).map((name) => useOf(name, find)));
  return {
    name: nameOf(declared, facts),
    kind: facts.kind,
    codeHash: facts.codeHash,
    consumes: uses('consumes'),
    accesses: uses('accesses'),
    produces: uses('produces'),
    devices: sortUses(listIn(declared, 'devices').map(deviceOf)),
    requires: [...namesIn(declared, 'requires')].sort(),
    limits: limitsOf(declared),
    idempotent: flagIn(declared, 'idempotent'),
    undoes: facts.undoes,
  };
}

function nameOf({ name }: JsonRecord, { fileName }: CodeFacts): string {
  if (name === undefined) return fileName.toLowerCase().replace(/[^a-z0-9_]/g, '_');
  return typeof name === 'string' ? name : wrong('name is no text');
}

function useOf(name: string, find: (name: string) => PactId | null): PactUse {
  const pact = find(name);
  if (pact === null)
    throw new DeclaredError('pact-unknown', `no Pact ${name.slice(0, 64)} is known`);
  return { name, pact };
}

function deviceOf(value: unknown): DeviceUse {
  if (typeof value === 'string') return { name: value, moves: true };
  if (typeof value !== 'object' || value === null) return wrong('devices has what is no device');
  const { name, moves = true } = value as Readonly<Record<string, unknown>>;
  if (typeof name !== 'string' || typeof moves !== 'boolean') {
    return wrong('a device has a name, and moves is true or false');
  }
  return { name, moves };
}

function limitsOf(declared: JsonRecord): BehaviorLimits {
  const { limits = {} } = declared;
  if (typeof limits !== 'object' || limits === null) return wrong('limits is no object');
  const figures: Record<string, number> = { ...STANDARD_LIMITS };
  for (const [name, value] of Object.entries(limits)) {
    if (!Object.hasOwn(STANDARD_LIMITS, name)) wrong(`limits.${name} is not known`);
    if (typeof value !== 'number') wrong(`limits.${name} is no number`);
    else figures[name] = value;
  }
  return { ...STANDARD_LIMITS, ...figures };
}

function flagIn(declared: JsonRecord, name: string): boolean {
  const { [name]: value = false } = declared;
  return typeof value === 'boolean' ? value : wrong(`${name} is not true or false`);
}

function listIn(declared: JsonRecord, name: string): readonly unknown[] {
  const { [name]: value = [] } = declared;
  return Array.isArray(value) ? value : wrong(`${name} is no list`);
}

function namesIn(declared: JsonRecord, list: string): readonly string[] {
  return listIn(declared, list).map((name) =>
    typeof name === 'string' ? name : wrong(`${list} has what is no text`),
  );
}

function wrong(message: string): never {
  throw new DeclaredError('declaration-malformed', message);
}
