import { forbidden, ModuleReader, malformed } from './module-bytes.ts';
import { readValueType, TYPE } from './opcodes.ts';

export interface FunctionType {
  readonly params: readonly number[];
  readonly results: readonly number[];
}

/** What the rewriter has to know of a module; the bytes of the rest are passed on. */
export interface ModuleParts {
  /** Section id to its content, custom sections left out. */
  readonly sections: ReadonlyMap<number, ModuleReader>;
  readonly types: readonly FunctionType[];
  readonly imports: readonly FunctionImport[];
  /** Type index of each defined function. */
  readonly functions: readonly number[];
  /** Pages of the one memory; `max` null where it has none. */
  readonly memory: { readonly min: number; readonly max: number | null };
  readonly globalCount: number;
  readonly exports: ReadonlyMap<string, { readonly kind: number; readonly index: number }>;
  /** Function that runs when it is instantiated. */
  readonly start: number | null;
}

export interface FunctionImport {
  readonly module: string;
  readonly name: string;
  readonly type: FunctionType;
}

export const SECTION = {
  type: 1,
  import: 2,
  function: 3,
  table: 4,
  memory: 5,
  global: 6,
  export: 7,
  start: 8,
  element: 9,
  code: 10,
  data: 11,
  dataCount: 12,
} as const;

/** Where a section stands in a module: data count comes before the code. */
export const SECTION_ORDER = [1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 10, 11] as const;

export const EXPORT_KIND = { function: 0, memory: 2, global: 3 } as const;

const MAGIC = [0, 97, 115, 109, 1, 0, 0, 0] as const;
/** Slots of all tables together: 8 bytes each on this side, outside of the memory's limit. */
const TABLE_SLOTS_MAX = 16_384;

/** @param bytes A module that `WebAssembly.validate` accepts. @throws ModuleError */
export function readParts(bytes: Uint8Array): ModuleParts {
  const reader = new ModuleReader(bytes);
  for (const byte of MAGIC) if (reader.u8() !== byte) malformed('it is no WebAssembly module');
  const sections = new Map<number, ModuleReader>();
  while (!reader.isAtEnd) {
    const id = reader.u8();
    const content = reader.part(reader.u32());
    if (id === 0) continue;
    if (!SECTION_ORDER.some((known) => known === id)) forbidden(`a section of kind ${id}`);
    if (sections.has(id)) malformed(`two sections of kind ${id}`);
    sections.set(id, content);
  }
  const part = (id: number) => copyOf(sections.get(id));
  const types = listOf(part(SECTION.type), readFunctionType);
  checkTables(part(SECTION.table));
  return {
    sections,
    types,
    imports: listOf(part(SECTION.import), (each) => readImport(each, types)),
    functions: listOf(part(SECTION.function), (each) => each.u32()),
    memory: readMemory(part(SECTION.memory)),
    globalCount: part(SECTION.global)?.u32() ?? 0,
    exports: new Map(listOf(part(SECTION.export), readExport)),
    start: part(SECTION.start)?.u32() ?? null,
  };
}

/** A reader of its own, so that the section can be read again. */
export function copyOf(section: ModuleReader | undefined): ModuleReader | undefined {
  return section && new ModuleReader(section.bytes, section.at, section.end);
}

function listOf<Item>(
  section: ModuleReader | undefined,
  read: (reader: ModuleReader) => Item,
): Item[] {
  if (section === undefined) return [];
  const items: Item[] = [];
  for (let rest = section.u32(); rest > 0; rest--) items.push(read(section));
  return items;
}

function readFunctionType(reader: ModuleReader): FunctionType {
  const form = reader.u8();
  if (form !== 0x60) forbidden(`a type of form 0x${form.toString(16)}`);
  const list = () => Array.from({ length: reader.u32() }, () => readValueType(reader));
  return { params: list(), results: list() };
}

function readImport(reader: ModuleReader, types: readonly FunctionType[]): FunctionImport {
  const module = reader.name();
  const name = reader.name();
  const kind = reader.u8();
  if (kind !== EXPORT_KIND.function) forbidden(`the import ${module}.${name}, no function`);
  const type = types[reader.u32()];
  return type === undefined ? malformed('an import without a type') : { module, name, type };
}

function readExport(
  reader: ModuleReader,
): [string, { readonly kind: number; readonly index: number }] {
  const name = reader.name();
  return [name, { kind: reader.u8(), index: reader.u32() }];
}

/** Limits with or without a maximum; no shared memories, none of 64 bits. */
function readLimits(reader: ModuleReader): { readonly min: number; readonly max: number | null } {
  const flags = reader.u8();
  if (flags > 1) forbidden('a shared memory, or one of 64 bits');
  const min = reader.u32();
  return { min, max: flags === 1 ? reader.u32() : null };
}

function readMemory(section: ModuleReader | undefined): ModuleParts['memory'] {
  if (section === undefined || section.u32() !== 1)
    return forbidden('no memory of its own, or two');
  return readLimits(section);
}

function checkTables(section: ModuleReader | undefined): void {
  let slots = 0;
  for (const min of listOf(section, readTable)) slots += min;
  if (slots > TABLE_SLOTS_MAX) forbidden(`tables of ${slots} slots, at most ${TABLE_SLOTS_MAX}`);
}

function readTable(reader: ModuleReader): number {
  if (readValueType(reader) < TYPE.funcref - 1) malformed('a table of no references');
  return readLimits(reader).min;
}
