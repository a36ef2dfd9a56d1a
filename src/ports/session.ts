/**
 * Why a handshake came to nothing. Nothing is sent to the peer then: whoever does not know the
 * World identifier meets silence. The owner of the link closes it and leaves one line in the log.
 */
export type HandshakeRefusal =
  /** Shorter than this message of the handshake is. */
  | 'handshake-truncated'
  /** Longer than this message of the handshake may be. */
  | 'handshake-too-long'
  /** Damaged, made for another handshake, or of another version of the protocol. */
  | 'handshake-forged'
  /** A session key of small order, which would make the shared secret known to all. */
  | 'handshake-small-order'
  /** Well-formed, but the peer does not know the identifier of this World. */
  | 'handshake-stranger'
  /** A first message that was answered before. */
  | 'handshake-replayed'
  /** The Avatar that the peer claims to be did not sign the peer's session key. */
  | 'handshake-unbound'
  /** A frame after the handshake ended. */
  | 'handshake-over';

/** Why a received frame of an open session was not accepted. Nothing changed: the next may be. */
export type FrameRefusal =
  /** Shorter than its seal. */
  | 'frame-truncated'
  /** Longer than a frame may be. */
  | 'frame-too-long'
  /** Damaged, seen before, out of order, or not from this session. */
  | 'frame-forged'
  /** The session has carried as many frames as it may: open another. */
  | 'session-worn';

/**
 * What becomes of frames on their way: all come, in order, or some are lost and overtaken. The two
 * ends must go by the same, or there is no session.
 */
export type Carriage = 'ordered' | 'loose';

/** Makes the two ends of encrypted sessions between Avatars of one World. */
export interface SessionFactory {
  /** The end that opened the link. Without a word on the carriage it is ordered. */
  initiate(carriage?: Carriage): SessionHandshake;

  /** The end that accepted the link. */
  respond(carriage?: Carriage): SessionHandshake;
}

/**
 * A handshake over a link of frames: feed it each received frame, send what comes back, in order.
 * It has no clock: whoever owns the link ends a handshake that takes too long; and, where frames
 * are lost, sends the last ones again, and holds back what it fed already.
 */
export interface SessionHandshake {
  /** The first frames to send: one for the initiator, none for the responder. Called once. */
  start(): Uint8Array[];

  /** Takes the next frame of the peer; keeps no reference to it. */
  receive(frame: Uint8Array): HandshakeStep;
}

/** What follows from a received frame. `send` goes out before anything sealed by the session. */
export type HandshakeStep =
  | { readonly kind: 'continue'; readonly send: Uint8Array[] }
  | { readonly kind: 'open'; readonly send: Uint8Array[]; readonly session: Session }
  /** Over a loose link: a frame that is none of the next step. Nothing changed. */
  | { readonly kind: 'ignored'; readonly reason: HandshakeRefusal }
  | { readonly kind: 'refused'; readonly reason: HandshakeRefusal };

/** Who is at the other end, as proven by the handshake. */
export interface SessionPeer {
  /** Avatar id, 32 bytes. It may be our own: then our key is on two devices. */
  readonly avatar: Uint8Array;
  /** The Avatar's X25519 key in this World, 32 bytes: what a proof of its Participant speaks of. */
  readonly sessionStatic: Uint8Array;
  /**
   * What the peer said with its handshake; at most 1,024 bytes. A peer's word, so to be checked.
   */
  readonly hello: Uint8Array;
}

export type OpenedFrame =
  | { readonly ok: true; readonly plain: Uint8Array }
  | { readonly ok: false; readonly reason: FrameRefusal };

/**
 * Two directions of frames, each frame sealed, each accepted once, and, where the carriage is
 * ordered, in order.
 */
export interface Session {
  readonly peer: SessionPeer;

  /** 32 bytes that both ends share and no other session has. */
  readonly handshakeHash: Uint8Array;

  /** A sealed frame is this much longer than what it carries. */
  readonly sealOverheadBytes: number;

  /** The most that `seal` takes at once. */
  readonly maxPlainBytes: number;

  /**
   * @returns the frame to send, a fresh copy; over an ordered link, in the order of sealing.
   * @throws InvariantError if `plain` is longer than `maxPlainBytes`, or the session is worn out.
   */
  seal(plain: Uint8Array): Uint8Array;

  /** @returns the content, a fresh copy, or the reason against the frame. */
  open(frame: Uint8Array): OpenedFrame;
}
