/** Thrown while a module is read and turned into a verdict by `meter`. */
export class ModuleError extends Error {
  override readonly name = 'ModuleError';
  readonly code: 'not-code' | 'not-permitted';

  constructor(code: ModuleError['code'], message: string) {
    super(message);
    this.code = code;
  }
}

export function malformed(message: string): never {
  throw new ModuleError('not-code', message);
}

export function forbidden(message: string): never {
  throw new ModuleError('not-permitted', message);
}

/** Reads the binary format of WebAssembly; every read is checked against the end. */
export class ModuleReader {
  readonly bytes: Uint8Array;
  readonly end: number;
  at: number;

  constructor(bytes: Uint8Array, start = 0, end: number = bytes.length) {
    this.bytes = bytes;
    this.at = start;
    this.end = end;
  }

  get isAtEnd(): boolean {
    return this.at >= this.end;
  }

  u8(): number {
    if (this.at >= this.end) malformed(`ends at byte ${this.at}`);
    return this.bytes[this.at++]!;
  }

  skip(count: number): void {
    if (count > this.end - this.at) malformed(`ends within ${count} bytes at byte ${this.at}`);
    this.at += count;
  }

  /** Unsigned LEB128 of 32 bits, in at most five bytes. */
  u32(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.u8();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) {
        if (value > 0xffff_ffff) malformed(`a number above 32 bits at byte ${this.at}`);
        return value;
      }
    }
    return malformed(`a number of more than five bytes at byte ${this.at}`);
  }

  /** Passes a LEB128 of at most `bytesMax` bytes whose value does not matter. */
  skipLeb(bytesMax: number): void {
    for (let count = 0; count < bytesMax; count++) if (this.u8() < 0x80) return;
    malformed(`a number of more than ${bytesMax} bytes at byte ${this.at}`);
  }

  name(): string {
    const length = this.u32();
    const start = this.at;
    this.skip(length);
    return new TextDecoder().decode(this.bytes.subarray(start, this.at));
  }

  /** @returns a reader of the next `length` bytes, which this one passes. */
  part(length: number): ModuleReader {
    const start = this.at;
    this.skip(length);
    return new ModuleReader(this.bytes, start, this.at);
  }
}

/** Writes the binary format into a buffer that grows. */
export class ModuleWriter {
  private bytes: Uint8Array<ArrayBuffer>;
  private length = 0;

  constructor(capacity: number) {
    this.bytes = new Uint8Array(capacity);
  }

  private claim(count: number): number {
    const at = this.length;
    if (at + count > this.bytes.length) {
      const grown = new Uint8Array(Math.max(this.bytes.length * 2, at + count));
      grown.set(this.bytes);
      this.bytes = grown;
    }
    this.length = at + count;
    return at;
  }

  u8(value: number): this {
    const at = this.claim(1); // May change the buffer.
    this.bytes[at] = value;
    return this;
  }

  raw(value: ArrayLike<number>): this {
    const at = this.claim(value.length);
    this.bytes.set(value, at);
    return this;
  }

  u32(value: number): this {
    let rest = value;
    while (rest >= 0x80) {
      this.u8((rest % 0x80) | 0x80);
      rest = Math.floor(rest / 0x80);
    }
    return this.u8(rest);
  }

  /** Signed LEB128 of a number that is not negative. */
  positive(value: number): this {
    let rest = value;
    while (rest >= 0x40) {
      this.u8((rest % 0x80) | 0x80);
      rest = Math.floor(rest / 0x80);
    }
    return this.u8(rest);
  }

  name(text: string): this {
    const bytes = new TextEncoder().encode(text);
    return this.u32(bytes.length).raw(bytes);
  }

  /** Length as u32, then the bytes. */
  sized(content: Uint8Array): this {
    return this.u32(content.length).raw(content);
  }

  get size(): number {
    return this.length;
  }

  reset(): this {
    this.length = 0;
    return this;
  }

  /** @returns a view that the next write may change. */
  view(): Uint8Array<ArrayBuffer> {
    return this.bytes.subarray(0, this.length);
  }
}
