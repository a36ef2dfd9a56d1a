/** Cuts a payload into its Entries: `count u32 BE | length u32 BE * count | Entry bytes`. */
export class PayloadCutter {
  private readonly payload: Uint8Array;
  private readonly view: DataView;
  private readonly count: number;
  private index = 0;
  private offset: number;

  constructor(payload: Uint8Array) {
    this.payload = payload;
    this.view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
    this.count = this.view.getUint32(0);
    this.offset = 4 + 4 * this.count;
  }

  /** @returns a copy of Entry `index`; indices are asked for in ascending order. */
  at(index: number): Uint8Array | null {
    if (index >= this.count) return null;
    while (this.index < index) this.offset += this.length(this.index++);
    return this.payload.slice(this.offset, this.offset + this.length(index));
  }

  private length(index: number): number {
    return this.view.getUint32(4 + 4 * index);
  }
}
