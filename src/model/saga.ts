import type { BehaviorId } from './behavior.ts';
import { concatBytes, type HashFunction, type Hex32, isHex32, toHex32 } from './bytes.ts';
import { ByteWriter, domainOf } from './codec.ts';
import { invariant } from './invariant.ts';
import type { EntrySequence } from './numbers.ts';
import type { AvatarId, GroupId, PactId } from './sync-group.ts';

/** What a Saga is made of. @source the patent's FIG. 7; features A28, A31. */

export type StageId = Hex32;
export type DescriptionId = Hex32;
export type InvocationId = Hex32;

export const STAGES_MAX = 32;
export const PACTS_OF_STAGE_MAX = 16;
export const CONDITIONS_MAX = 8;
export const CRITERIA_MAX = 16;
/** Sync Groups whose place a Description names. */
export const AFTER_MAX = 256;
/** Longest a Stage or a Description may be as text, in bytes. */
export const SAGA_TEXT_MAX = 64 * 1024;
export const WITHIN_MS_MAX = 366 * 24 * 3600 * 1000;

export const SAGA_NAME = /^[a-z][a-z0-9_]{0,39}$/;

export const OPERATORS = ['=', '!=', '<', '<=', '>', '>='] as const;
export type Operator = (typeof OPERATORS)[number];
/** Holds of an Entry whose field compares so with the value. */
export type Condition = readonly [field: string, operator: Operator, value: ConditionValue];
export type ConditionValue = string | number | boolean;

/** A Pact in one Sync Group: where a Stage reads, or where it produces. */
export interface PactPlace {
  readonly pact: PactId;
  readonly group: GroupId;
}

/** Whose value a Behavior's state is: of one invocation, of all with one key, of all. */
export const SCOPES = ['invocation', 'key', 'saga'] as const;
export type Scope = (typeof SCOPES)[number];

export interface Stage {
  readonly name: string;
  readonly behavior: BehaviorId;
  readonly consumes: PactId;
  readonly accesses: readonly PactPlace[];
  readonly produces: readonly PactPlace[];
  /** The Behavior whose `undo` compensates for this Stage; null: there is nothing to undo. */
  readonly undo: BehaviorId | null;
  /** What a Participant's capabilities must hold; all of them. */
  readonly binding: readonly string[];
  /** Devices that its Behavior uses; each is a criterion `device=NAME` as well. */
  readonly devices: readonly string[];
  /** Does it move something that may not move twice? It is then claimed before it is run. */
  readonly isClaimed: boolean;
  /** Comes the consumed Entry from outside of the Saga? */
  readonly isOutside: boolean;
  /** Field of an Entry from outside that bears the invocation's key; null: any Entry will do. */
  readonly by: string | null;
  readonly when: readonly Condition[];
  /** Longest from the State before until this Stage's, in milliseconds; null: for ever. */
  readonly withinMs: number | null;
}

export interface SequencePlace {
  readonly group: GroupId;
  readonly sequence: EntrySequence;
}

export interface Description {
  readonly name: string;
  readonly initiating: PactId;
  /** Where its States stand. */
  readonly state: PactPlace;
  readonly stages: readonly StageId[];
  readonly scope: Scope;
  /** Field of the initiating Entry that is the key of an invocation; null: none. */
  readonly key: string | null;
  readonly when: readonly Condition[];
  /**
   * Where it begins in each group that concerns it: Entries up to there start nothing. In a group
   * that is not named it begins with the first.
   */
  readonly after: readonly SequencePlace[];
}

/** A deployed Saga with its Stages at hand. */
export interface Saga {
  readonly id: DescriptionId;
  readonly description: Description;
  readonly stages: readonly Stage[];
}

const STAGE_DOMAIN = domainOf('vb1/saga-stage');
const SAGA_DOMAIN = domainOf('vb1/saga');
const INVOCATION_DOMAIN = domainOf('vb1/invocation');
const RANK_DOMAIN = domainOf('vb1/saga-rank');
const SCOPE_DOMAIN = domainOf('vb1/saga-scope');

export function deriveStageId(hash: HashFunction, text: string): StageId {
  return toHex32(hash(concatBytes(STAGE_DOMAIN, new TextEncoder().encode(text))));
}

export function deriveDescriptionId(hash: HashFunction, text: string): DescriptionId {
  return toHex32(hash(concatBytes(SAGA_DOMAIN, new TextEncoder().encode(text))));
}

/**
 * All Participants derive the same from the Entry that starts it, whatever version of the Saga each
 * of them knows: the first State that counts says which version it is of.
 */
export function deriveInvocation(
  hash: HashFunction,
  stateGroup: GroupId,
  initiating: SequencePlace,
): InvocationId {
  const { group, sequence } = initiating;
  const writer = new ByteWriter(96).raw(INVOCATION_DOMAIN).id(stateGroup).id(group);
  return toHex32(hash(writer.u64(sequence).finish()));
}

/** Whoever has the least acts first. */
export function deriveRank(
  hash: HashFunction,
  invocation: InvocationId,
  step: number,
  avatar: AvatarId,
): Hex32 {
  const writer = new ByteWriter(96).raw(RANK_DOMAIN).id(invocation).u32(step).id(avatar);
  return toHex32(hash(writer.finish()));
}

/** Names one value of state among those of a State group; all versions of a Saga share them. */
export function deriveScope(
  hash: HashFunction,
  scope: Scope,
  of: { readonly invocation: InvocationId; readonly key: string | null },
): Hex32 {
  const writer = new ByteWriter(96).raw(SCOPE_DOMAIN).u8(SCOPES.indexOf(scope));
  if (scope === 'invocation') writer.id(of.invocation);
  else if (scope === 'key') writer.raw(new TextEncoder().encode(of.key ?? ''));
  return toHex32(hash(writer.finish()));
}

/** The value of a field as the text that keys are compared by; null: an Entry without key. */
export function keyText(value: unknown): string | null {
  if (typeof value === 'string') return `s${value}`;
  return typeof value === 'number' || typeof value === 'boolean' ? `v${String(value)}` : null;
}

export function meets(entry: Readonly<Record<string, unknown>>, when: readonly Condition[]) {
  return when.every(([field, operator, value]) => compares(entry[field], operator, value));
}

function compares(found: unknown, operator: Operator, value: ConditionValue): boolean {
  if (operator === '=') return found === value;
  if (operator === '!=') return found !== undefined && found !== value;
  const isNumber = typeof found === 'number' && typeof value === 'number';
  const isText = typeof found === 'string' && typeof value === 'string';
  if (!isNumber && !isText) return false;
  if (operator === '<') return found < value;
  if (operator === '<=') return found <= value;
  return operator === '>' ? found > value : found >= value;
}

/** What a Participant must have for a Stage. */
export function criteriaOf(stage: Pick<Stage, 'binding' | 'devices'>): string[] {
  return [...new Set([...stage.binding, ...stage.devices.map((name) => `device=${name}`)])];
}

/** Where one produced Entry comes from: 36 bytes after the Pact's fields. */
export interface Cause {
  readonly invocation: InvocationId;
  /** Of the State that lists the Entry. */
  readonly step: number;
  /** Its place in that list. */
  readonly index: number;
}

export const CAUSE_BYTES = 36;

/** Heads of CBOR items: an array, and bytes with their length in one byte (RFC 8949, 3.1). */
const ARRAY = 0x80;
const BYTES_HEAD = 0x58;

export function encodeCause(cause: Cause): Uint8Array {
  return new ByteWriter(CAUSE_BYTES).id(cause.invocation).u16(cause.step).u16(cause.index).finish();
}

/**
 * @param entry A CBOR array of the Pact's fields.
 * @returns the same with the cause as one item more.
 */
export function withCause(entry: Uint8Array, cause: Cause): Uint8Array {
  const first = entry[0] ?? 0;
  invariant(first >= ARRAY && first <= ARRAY + 25, 'an Entry is an array of at most 256 fields');
  const skipped = first < ARRAY + 24 ? 1 : first === ARRAY + 24 ? 2 : 3;
  const [high, low] = skipped === 3 ? [entry[1]!, entry[2]!] : [0, entry[1] ?? 0];
  const count = (skipped === 1 ? first - ARRAY : high * 0x100 + low) + 1;
  const head = headOf(count);
  const rest = entry.subarray(skipped);
  const item = Uint8Array.of(BYTES_HEAD, CAUSE_BYTES);
  return concatBytes(Uint8Array.from(head), rest, item, encodeCause(cause));
}

function headOf(count: number): number[] {
  if (count < 24) return [ARRAY + count];
  return count < 0x100 ? [ARRAY + 24, count] : [ARRAY + 25, count >>> 8, count & 0xff];
}

/** @param bytes `CAUSE_BYTES` long. */
export function decodeCause(bytes: Uint8Array): Cause {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const invocation = toHex32(bytes.subarray(0, 32));
  return { invocation, step: view.getUint16(32), index: view.getUint16(34) };
}

export function isId(value: unknown): value is Hex32 {
  return typeof value === 'string' && isHex32(value);
}
