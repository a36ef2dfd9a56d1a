/**
 * A wire for frames between two ends: a TCP connection, a pair in memory, topics of a broker, a
 * serial cable, datagrams. It knows nothing of what it carries.
 *
 * May not be assumed: that a frame arrives, that the other end is who it should be, that frames
 * after a `close` still leave. May be assumed: frames that arrive are whole, once each, and, where
 * `isOrdered`, in order and without a gap.
 *
 * @source features A4; architecture, Identity.
 */
export interface Link {
  readonly kind: LinkKind;
  /** For people: where the other end is, for instance `tcp://127.0.0.1:7411`. Never a secret. */
  readonly remote: string;

  /** False where a frame may be lost or overtaken while the link goes on (UDP). */
  readonly isOrdered: boolean;

  /**
   * Payload bytes a second that the wire carries at most, where that is known and little: a serial
   * line, a budget. Null elsewhere. What is urgent must not stand behind much of what is not.
   */
  readonly bytesPerSecond: number | null;

  /**
   * True while nothing but signs of life may be sent; `onDrain` follows when that is over. Absent:
   * never.
   */
  readonly isQuiet?: boolean;

  /**
   * May what is said over it be compressed before it is sealed, if the other end wants that too?
   * Only where `isOrdered`. Absent: no.
   */
  readonly compresses?: boolean;

  /** What went wrong on the wire and was mended here; null for a wire that hides it (TCP). */
  readonly repairs: LinkRepairs | null;

  /** What brings one frame to the other ends of many links at once, where there is that. */
  readonly hall?: Hall | undefined;

  /**
   * Is it for this end to begin the session? Only where both ends opened the wire alike, as with a
   * cable; absent elsewhere: the end that dialled begins.
   */
  readonly begins?: boolean;

  /**
   * Queues one frame. Frames longer than `frameBytesMax` are a bug of the caller.
   * @returns false when the link wants no more until `onDrain`; this frame is still queued.
   */
  send(frame: Uint8Array): boolean;
  readonly frameBytesMax: number;
  /** Bytes queued here that the wire has not taken. */
  readonly queuedBytes: number;

  /** Sets who hears of this link; called once, at once after the link was made. */
  handle(handler: LinkHandler): void;

  /** Hands over no frame from now until `resume`, and so holds the other end back in time. */
  pause(): void;
  resume(): void;

  /**
   * The frame being handed over is authentic: where the other end's address may change, it is now
   * where this frame came from. Only links of datagrams have it.
   */
  vouch?(): void;

  /**
   * Ends the link; `onClose` follows exactly once, whoever closed, and no frame before it. Without
   * a reason the queued frames still leave, if the wire takes them soon; with one they do not.
   */
  close(reason?: LinkError): void;
}

/**
 * A place where all others hear one frame, as at a broker; links of the same place share it. Frames
 * may get lost, overtake others, come twice or come from anybody, and one's own may come back.
 */
export interface Hall {
  readonly kind: LinkKind;
  readonly frameBytesMax: number;
  /** Others that hear it, as far as anybody said. */
  readonly othersCount: number;
  publish(frame: Uint8Array): void;
  /** Sets who hears what is published here; called once. */
  handle(onFrame: (frame: Uint8Array) => void): void;
}

/** Counts since the link was made. */
export interface LinkRepairs {
  /** Frames that came damaged, cut short or twice. */
  readonly broken: number;
  /** Frames sent again. */
  readonly repeated: number;
}

export type LinkKind = 'tcp' | 'memory' | 'mqtt' | 'serial' | 'udp';

export interface LinkHandler {
  /** The frame is the receiver's to keep. */
  onFrame(frame: Uint8Array): void;
  onDrain(): void;
  /** Last word of a link. */
  onClose(error: LinkError | null): void;
}

/** Makes links of one kind from URLs. */
export interface Transport {
  readonly kind: LinkKind;
  /** Schemes without the colon, for instance `tcp`. */
  readonly schemes: readonly string[];

  /**
   * @param signal Calls it off; where its reason is a LinkError, that is thrown.
   * @throws LinkError LINK_URL, LINK_REFUSED, LINK_UNREACHABLE, LINK_TIMEOUT, LINK_ABORTED
   */
  dial(url: string, signal: AbortSignal): Promise<Link>;

  /**
   * @param onMet Hears of others, where the URL names a place at which many meet.
   * @throws LinkError LINK_URL, LINK_IN_USE, LINK_DENIED
   */
  listen(url: string, onLink: (link: Link) => void, onMet?: MeetingHandler): Promise<Listening>;

  /**
   * Does this URL name a place where ends meet, a broker or a cable, and not one other end? Whoever
   * would dial it listens at it instead. Absent: none does.
   * @throws LinkError LINK_URL
   */
  isMeetingPlace?(url: string): boolean;
}

/** Hears of others at a place where many meet, of each pair only the end that has to dial. */
export interface MeetingHandler {
  /** Somebody is at this URL, and it is for this end to dial it. */
  onFound(url: string): void;
  /** Nobody is there any more, or it is not for this end to dial it any more. */
  onLost(url: string): void;
}

export interface Listening {
  /** With the port that was really taken, where the URL said 0. */
  readonly url: string;
  /** Why nobody can come this way at the moment; null, or absent, while they can. */
  readonly trouble?: string | null;
  close(): Promise<void>;
}

/** The wire, not what it carried. */
export class LinkError extends Error {
  override readonly name = 'LinkError';
  readonly code: LinkErrorCode;

  constructor(code: LinkErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

export type LinkErrorCode =
  | 'LINK_URL'
  | 'LINK_REFUSED'
  | 'LINK_UNREACHABLE'
  | 'LINK_TIMEOUT'
  | 'LINK_ABORTED'
  | 'LINK_IN_USE'
  | 'LINK_DENIED'
  | 'LINK_RESET'
  | 'LINK_FRAME_TOO_LONG'
  | 'LINK_FRAME_BROKEN';
