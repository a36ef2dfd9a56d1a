import { compareText, type HashFunction, type Hex32, isSortedSet, toHex32 } from './bytes.ts';
import { type ByteReader, ByteWriter, CodecError, decoding, domainOf } from './codec.ts';
import { invariant } from './invariant.ts';
import { PACT_NAME } from './pact.ts';
import type { PactId } from './sync-group.ts';
import { accept, refuse, type Verdict } from './verdict.ts';

export type BehaviorId = Hex32;

/** What the code is: the text of an ES module, or a WebAssembly module of our interface. */
export type BehaviorKind = 'javascript' | 'webassembly';

/** A Pact by the name that the code says, and which Pact that is. */
export interface PactUse {
  readonly name: string;
  readonly pact: PactId;
}

/** A device by the name it has in the configuration of whoever runs the Behavior. */
export interface DeviceUse {
  readonly name: string;
  /** False: it is only read (verb `get`), so that doing it twice harms nobody. */
  readonly moves: boolean;
}

/** What one run may take. All of it is counted, none of it is timed. */
export interface BehaviorLimits {
  /** Linear memory of the instance, its engine included; a multiple of 64 KiB. */
  readonly memoryBytes: number;
  /** Instructions of WebAssembly; those of the JavaScript engine where the code is JavaScript. */
  readonly fuel: number;
  /** All produced Entries together, as JSON text in UTF-8. */
  readonly outputBytes: number;
  /** The state that it leaves behind. */
  readonly stateBytes: number;
}

/**
 * Code with a manifest: what it may touch, and what it needs where it runs. The code itself travels
 * beside it, named by its hash.
 *
 * @source features A27; patent FIG. 7.
 */
export interface BehaviorManifest {
  /** `[a-z][a-z0-9_]*`, at most 48 characters. A newer Behavior of the same name replaces it. */
  readonly name: string;
  readonly kind: BehaviorKind;
  /** SHA-256 of the code's bytes. */
  readonly codeHash: Hex32;
  /** Sorted by name, as are all lists here. */
  readonly consumes: readonly PactUse[];
  readonly accesses: readonly PactUse[];
  readonly produces: readonly PactUse[];
  readonly devices: readonly DeviceUse[];
  /** Binding criteria: capabilities (`gpio`, `serial:rs232`) and labels (`site=greenhouse-3`). */
  readonly requires: readonly string[];
  readonly limits: BehaviorLimits;
  /** May it move its devices twice for one invocation? Said by the author. */
  readonly idempotent: boolean;
  /** Can it take back what it did? */
  readonly undoes: boolean;
}

/** A manifest with its id and the code it names. */
export interface Behavior extends BehaviorManifest {
  /** Hash of the canonical manifest, which holds the hash of the code. */
  readonly id: BehaviorId;
  readonly code: Uint8Array;
}

export type BehaviorRefusal = 'behavior-malformed' | 'behavior-other-code';

export const CODE_BYTES_MAX = 1024 * 1024;
/** Pacts in one list, devices, binding criteria: of each at most so many. */
export const USES_MAX = 16;
export const DEVICE_NAME = /^[a-z][a-z0-9_-]{0,31}$/;
export const CRITERION = /^[a-z][a-z0-9_:.-]{0,47}(=[A-Za-z0-9][A-Za-z0-9_:.-]{0,47})?$/;

/** Least, greatest, and what a manifest file that says nothing gets. */
export const LIMIT_BOUNDS = {
  memoryBytes: { min: 2 * 1024 * 1024, max: 256 * 1024 * 1024, standard: 16 * 1024 * 1024 },
  fuel: { min: 1_000_000, max: 20_000_000_000, standard: 1_000_000_000 },
  outputBytes: { min: 0, max: 4 * 1024 * 1024, standard: 256 * 1024 },
  stateBytes: { min: 0, max: 1024 * 1024, standard: 64 * 1024 },
} as const;
export const PAGE_BYTES = 64 * 1024;

export const STANDARD_LIMITS: BehaviorLimits = {
  memoryBytes: LIMIT_BOUNDS.memoryBytes.standard,
  fuel: LIMIT_BOUNDS.fuel.standard,
  outputBytes: LIMIT_BOUNDS.outputBytes.standard,
  stateBytes: LIMIT_BOUNDS.stateBytes.standard,
};

export const BEHAVIOR_KINDS = ['javascript', 'webassembly'] as const;

const DOMAIN = domainOf('vb1/behavior');

/** Does it act on the world, so that it runs only where its devices are? Patent FIG. 7. */
export function isBound(manifest: BehaviorManifest): boolean {
  return manifest.devices.length > 0 || manifest.requires.length > 0;
}

/** Would doing it twice move something twice? */
export function movesOnce(manifest: BehaviorManifest): boolean {
  return !manifest.idempotent && manifest.devices.some((device) => device.moves);
}

/** @returns the first thing that a manifest may not say; null where it is well formed. */
export function faultOfBehavior(manifest: BehaviorManifest): string | null {
  if (!PACT_NAME.test(manifest.name)) return 'name is not [a-z][a-z0-9_]{0,47}';
  for (const list of ['consumes', 'accesses', 'produces'] as const) {
    const names = manifest[list].map((use) => use.name);
    if (!names.every((name) => PACT_NAME.test(name))) return `${list} names no Pact`;
    if (!isSetOfUses(names)) return `${list} is no sorted set of at most ${USES_MAX}`;
  }
  const devices = manifest.devices.map((device) => device.name);
  if (!devices.every((name) => DEVICE_NAME.test(name))) return 'devices has a name that is none';
  if (!isSetOfUses(devices)) return `devices is no sorted set of at most ${USES_MAX}`;
  if (!manifest.requires.every((text) => CRITERION.test(text))) return 'requires has no criterion';
  if (!isSetOfUses(manifest.requires)) return `requires is no sorted set of at most ${USES_MAX}`;
  return faultOfLimits(manifest.limits);
}

function isSetOfUses(names: readonly string[]): boolean {
  return names.length <= USES_MAX && isSortedSet(names);
}

/** @returns which limit is out of its bounds; null where all are within. */
export function faultOfLimits(limits: BehaviorLimits): string | null {
  for (const name of ['memoryBytes', 'fuel', 'outputBytes', 'stateBytes'] as const) {
    const { min, max } = LIMIT_BOUNDS[name];
    const value = limits[name];
    if (!Number.isSafeInteger(value) || value < min || value > max) {
      return `${name} is not from ${min} to ${max}`;
    }
  }
  return limits.memoryBytes % PAGE_BYTES === 0 ? null : `memoryBytes is no multiple of 64 KiB`;
}

/** Sorts what a person listed in any order. */
export function sortUses<Use extends { readonly name: string }>(uses: readonly Use[]): Use[] {
  return [...uses].sort((a, b) => compareText(a.name, b.name));
}

/**
 * The canonical manifest; integers big-endian, texts with their length as u16.
 *
 *   offset  bytes  field        meaning
 *      0     16    domain       'vb1/behavior'
 *     16      1    kind         0 javascript, 1 webassembly
 *     17      1    flags        1 idempotent, 2 undoes
 *     18     32    codeHash
 *     50     32    limits       memoryBytes, fuel, outputBytes, stateBytes: u64 each
 *     82      2+n  name
 *      .      .    consumes     count u16, then for each: name, Pact id (32)
 *      .      .    accesses     the same
 *      .      .    produces     the same
 *      .      .    devices      count u16, then for each: name, moves u8
 *      .      .    requires     count u16, then the texts
 */
export function encodeBehavior(manifest: BehaviorManifest): Uint8Array {
  const fault = faultOfBehavior(manifest);
  invariant(fault === null, `a manifest is well formed before it is encoded: ${fault}`);
  const { limits } = manifest;
  const writer = new ByteWriter().raw(DOMAIN).u8(BEHAVIOR_KINDS.indexOf(manifest.kind));
  writer.u8((manifest.idempotent ? 1 : 0) | (manifest.undoes ? 2 : 0)).id(manifest.codeHash);
  writer.u64(limits.memoryBytes).u64(limits.fuel).u64(limits.outputBytes).u64(limits.stateBytes);
  writeText(writer, manifest.name);
  for (const uses of [manifest.consumes, manifest.accesses, manifest.produces]) {
    writer.u16(uses.length);
    for (const { name, pact } of uses) writeText(writer, name).id(pact);
  }
  writer.u16(manifest.devices.length);
  for (const { name, moves } of manifest.devices) writeText(writer, name).u8(moves ? 1 : 0);
  writer.u16(manifest.requires.length);
  for (const text of manifest.requires) writeText(writer, text);
  return writer.finish();
}

/** Accepts exactly the bytes that `encodeBehavior` makes of some manifest. */
export function decodeBehavior(bytes: Uint8Array): Verdict<BehaviorManifest, 'behavior-malformed'> {
  const read = decoding(bytes, readBehavior);
  if (!read.ok) return refuse('behavior-malformed', read.detail);
  const fault = faultOfBehavior(read.value);
  return fault === null ? accept(read.value) : refuse('behavior-malformed', fault);
}

function readBehavior(reader: ByteReader): BehaviorManifest {
  reader.domain(DOMAIN);
  const kind = BEHAVIOR_KINDS[reader.u8()];
  if (kind === undefined) throw new CodecError('no such kind');
  const flags = reader.u8();
  if (flags > 3) throw new CodecError(`flags ${flags}`);
  return {
    kind,
    idempotent: (flags & 1) === 1,
    undoes: (flags & 2) === 2,
    codeHash: reader.id(),
    limits: {
      memoryBytes: reader.u64(),
      fuel: reader.u64(),
      outputBytes: reader.u64(),
      stateBytes: reader.u64(),
    },
    name: readText(reader),
    consumes: readList(reader, readPactUse),
    accesses: readList(reader, readPactUse),
    produces: readList(reader, readPactUse),
    devices: readList(reader, readDeviceUse),
    requires: readList(reader, readText),
  };
}

function readList<Item>(reader: ByteReader, read: (reader: ByteReader) => Item): Item[] {
  return Array.from({ length: reader.count(USES_MAX) }, () => read(reader));
}

function readPactUse(reader: ByteReader): PactUse {
  return { name: readText(reader), pact: reader.id() };
}

function readDeviceUse(reader: ByteReader): DeviceUse {
  const name = readText(reader);
  const moves = reader.u8();
  if (moves > 1) throw new CodecError(`moves ${moves}`);
  return { name, moves: moves === 1 };
}

/** Names and criteria are ASCII, which their patterns see to. */
function writeText(writer: ByteWriter, text: string): ByteWriter {
  return writer.shortBytes(Uint8Array.from(text, (letter) => letter.charCodeAt(0)));
}

function readText(reader: ByteReader): string {
  return String.fromCharCode(...reader.shortBytes(128));
}

export function deriveBehaviorId(hash: HashFunction, manifest: BehaviorManifest): BehaviorId {
  return toHex32(hash(encodeBehavior(manifest)));
}

/** Joins a manifest that came from somewhere with the code that came with it. */
export function joinBehavior(
  hash: HashFunction,
  manifest: BehaviorManifest,
  code: Uint8Array,
): Verdict<Behavior, BehaviorRefusal> {
  const fault = faultOfBehavior(manifest);
  if (fault !== null) return refuse('behavior-malformed', fault);
  if (code.length < 1 || code.length > CODE_BYTES_MAX) {
    return refuse('behavior-malformed', `code of ${code.length} bytes, at most ${CODE_BYTES_MAX}`);
  }
  if (toHex32(hash(code)) !== manifest.codeHash) return refuse('behavior-other-code');
  return accept({ ...manifest, id: deriveBehaviorId(hash, manifest), code });
}

/** Makes a Behavior of code and what its author says of it. */
export function sealBehavior(
  hash: HashFunction,
  said: Omit<BehaviorManifest, 'codeHash'>,
  code: Uint8Array,
): Verdict<Behavior, BehaviorRefusal> {
  return joinBehavior(hash, { ...said, codeHash: toHex32(hash(code)) }, code);
}
