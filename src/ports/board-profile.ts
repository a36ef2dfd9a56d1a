/**
 * What is known of one model of board, from `boards/ID.json`. Every figure in it has a source:
 * `sources` covers all of the file by JSON Pointers (RFC 6901).
 */
export interface BoardProfile {
  readonly schema: 1;
  readonly id: string;
  /** For people. */
  readonly name: string;
  /** How to know it by its device tree; null: never found, only asked for. */
  readonly detect: {
    /** A regular expression over `/proc/device-tree/model`. */
    readonly model: string;
    /** An entry of `/proc/device-tree/compatible` that no other board here has. */
    readonly compatible: string;
  } | null;
  readonly soc: string;
  readonly cpu: {
    readonly cores: number;
    readonly core: string;
    readonly mhzMax: number;
    /** AES and SHA in the processor. */
    readonly hasCryptoExtensions: boolean;
  };
  /** Sizes that are sold. */
  readonly ramMib: readonly number[];
  readonly gpio: {
    /** Label of the chip that the header's lines belong to; its number and base vary. */
    readonly chip: string;
    readonly lines: number;
    /** First sysfs number of that chip, as seen. Never relied on. */
    readonly basesSeen: readonly { readonly kernel: string; readonly base: number }[];
  };
  readonly header: {
    /** `J8`: `J8:11` names a pin by its place. */
    readonly name: string;
    readonly note: string | null;
    readonly pins: readonly HeaderPin[];
  };
  readonly pwm: readonly PwmProfile[];
  readonly uarts: readonly {
    readonly path: string;
    readonly tx: number;
    readonly rx: number;
    readonly enable: string;
    readonly note?: string;
  }[];
  readonly i2c: readonly {
    readonly path: string;
    readonly sda: number;
    readonly scl: number;
    readonly enable: string;
  }[];
  readonly spi: readonly {
    readonly path: string;
    readonly cs: number;
    readonly mosi: number;
    readonly miso: number;
    readonly sclk: number;
    readonly enable: string;
  }[];
  readonly outputsPersist: {
    /** Does an output keep its level when the process that drives it dies, on the vendor's OS? */
    readonly default: boolean;
    /** A file of the kernel that says how it is now; null: none. */
    readonly parameter: string | null;
    /** What makes the kernel release outputs; null: nothing needs to. */
    readonly turnOff: string | null;
  };
  readonly sources: readonly {
    readonly of: readonly string[];
    /** `recalled`: common knowledge that nobody has checked on this board. */
    readonly mark: 'measured' | 'read' | 'recalled' | 'chosen';
    readonly from: string;
  }[];
}

export interface HeaderPin {
  /** Its place on the header, from 1. */
  readonly pin: number;
  /** `3V3`, `5V` or `GND`; such a pin has no line. */
  readonly power?: string;
  /** The line of the chip; on a Raspberry Pi the BCM number. */
  readonly line?: number;
  readonly alt?: readonly string[];
  /** What it is for, where it is for nothing else. */
  readonly reservedFor?: string;
}

export interface PwmProfile {
  /** Part of the path that `/sys/class/pwm/pwmchipN/device` leads to. */
  readonly device: string;
  /** Lines of one channel all show the same. */
  readonly channels: readonly { readonly channel: number; readonly lines: readonly number[] }[];
  readonly enable: string;
  readonly note: string;
}
