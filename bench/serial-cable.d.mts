export interface CableOptions {
  readonly socat: string;
  readonly folder: string;
  /** Of each direction; null: as fast as it goes. */
  readonly bytesPerSecond?: number | null;
  readonly damage?: (bytes: Uint8Array) => Uint8Array;
}

export interface LaidCable {
  /** Paths of the two devices. */
  readonly near: string;
  readonly far: string;
  /** From near to far, and back; counted where a rate was given. */
  carriedBytes(): number[];
  close(): Promise<void>;
}

export function layCable(options: CableOptions): Promise<LaidCable>;
export function spoiler(share: number, fraction: () => number): (bytes: Uint8Array) => Uint8Array;
