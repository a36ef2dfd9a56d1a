import { ModuleReader, ModuleWriter } from '../../src/behavior/module-bytes.ts';

const EXPORT_SECTION = 7;

/**
 * A module that exports `PART_run` and `PART_undo` for many parts, as if it were one part's alone:
 * these two under `run` and `undo`, and its memory.
 */
export function exportedPart(binary: Uint8Array, part: string): Uint8Array {
  const reader = new ModuleReader(binary);
  reader.skip(8);
  const out = new ModuleWriter(binary.length).raw(binary.subarray(0, 8));
  while (!reader.isAtEnd) {
    const id = reader.u8();
    const content = reader.part(reader.u32());
    const bytes = binary.subarray(content.at, content.end);
    out.u8(id).sized(id === EXPORT_SECTION ? exportsOf(content, part) : bytes);
  }
  return out.view().slice();
}

function exportsOf(section: ModuleReader, part: string): Uint8Array {
  const kept = new ModuleWriter(100);
  let count = 0;
  for (let rest = section.u32(); rest > 0; rest--) {
    const name = section.name();
    const kind = section.u8();
    const index = section.u32();
    const [owner, own] = name.split('_');
    if (name !== 'memory' && owner !== part) continue;
    kept
      .name(own ?? name)
      .u8(kind)
      .u32(index);
    count++;
  }
  return new ModuleWriter(100).u32(count).raw(kept.view()).view().slice();
}
