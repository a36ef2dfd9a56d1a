/**
 * Bytes to and from a device on a cable. Nothing is framed, repeated or checked; any byte may be
 * lost or come late, and a cable may be pulled.
 */
export interface ByteStream {
  /** For people: `/dev/ttyAMA0`. */
  readonly name: string;
  /** Bytes that the device has not taken yet. */
  readonly queuedBytes: number;
  /** Queues bytes; after `onClose` they go nowhere. */
  write(bytes: Uint8Array): void;
  /** Sets who hears of it; called once, at once after it was opened. */
  handle(handler: ByteStreamHandler): void;
  /** Queued bytes still leave, if the device takes them soon. `onClose` follows, once. */
  close(): Promise<void>;
}

export interface ByteStreamHandler {
  /** In pieces of any size. */
  onBytes(bytes: Uint8Array): void;
  /** Null: closed here. */
  onClose(error: Error | null): void;
}
