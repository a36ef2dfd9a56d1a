/** Bytes of a page of the machine: what one holds of a memory is held in pages. */
const PAGE = 4096;
const WASM_PAGE = 64 * 1024;
const ZEROS = Buffer.alloc(PAGE);

/** What a memory held, where that differs from another image or from nothing. */
export class MemoryImage {
  readonly byteLength: number;
  private readonly base: MemoryImage | null;
  private readonly pages: ReadonlyMap<number, Buffer>;

  private constructor(byteLength: number, base: MemoryImage | null, pages: Map<number, Buffer>) {
    this.byteLength = byteLength;
    this.base = base;
    this.pages = pages;
  }

  /** @param base What most of the memory still is like; it lives as long as this one. */
  static of(memory: WebAssembly.Memory, base: MemoryImage | null): MemoryImage {
    const bytes = Buffer.from(memory.buffer);
    const changed: [number, Buffer][] = [];
    for (let at = 0; at < bytes.length; at += PAGE) {
      const page = bytes.subarray(at, at + PAGE);
      const before = base?.pageAt(at) ?? ZEROS;
      if (page.compare(before) !== 0) changed.push([at, page]);
    }
    // One piece for all pages, so that each of them costs no allocation.
    const store = Buffer.concat(changed.map(([, page]) => page));
    const pages = changed.map(
      ([at], index) => [at, store.subarray(index * PAGE, (index + 1) * PAGE)] as const,
    );
    return new MemoryImage(bytes.length, base, new Map(pages));
  }

  /** Bytes that this image holds itself. */
  get ownBytes(): number {
    return this.pages.size * PAGE;
  }

  /** Makes a memory that is no longer than it what it was; pages that are so already stay. */
  restore(memory: WebAssembly.Memory): void {
    const missing = this.byteLength - memory.buffer.byteLength;
    if (missing > 0) memory.grow(missing / WASM_PAGE);
    const bytes = Buffer.from(memory.buffer);
    for (let at = 0; at < bytes.length; at += PAGE) {
      const page = bytes.subarray(at, at + PAGE);
      const wanted = this.pageAt(at) ?? ZEROS;
      // Comparing touches no page that was never written: it goes on costing nothing.
      if (page.compare(wanted) !== 0) page.set(wanted);
    }
  }

  private pageAt(at: number): Buffer | null {
    return this.pages.get(at) ?? this.base?.pageAt(at) ?? null;
  }
}
