import type {
  HandshakeStep,
  OpenedFrame,
  Session,
  SessionFactory,
  SessionHandshake,
  SessionPeer,
} from '../../src/ports/session.ts';

const OVERHEAD = 16;

/** Frames that are numbered and marked, not sealed: what gossip needs of a session, readable. */
class PlainSession implements Session {
  readonly peer: SessionPeer;
  readonly handshakeHash = new Uint8Array(32);
  readonly sealOverheadBytes = OVERHEAD;
  readonly maxPlainBytes = 65_535 - OVERHEAD;
  private sent = 0;
  private received = 0;

  constructor(avatar: Uint8Array) {
    this.peer = { avatar, sessionStatic: new Uint8Array(32), hello: new Uint8Array(0) };
  }

  seal(plain: Uint8Array): Uint8Array {
    if (plain.length > this.maxPlainBytes) throw new Error('too long for a frame');
    const frame = new Uint8Array(OVERHEAD + plain.length);
    new DataView(frame.buffer).setUint32(0, this.sent);
    this.sent += 1;
    frame.set(plain, OVERHEAD);
    return frame;
  }

  open(frame: Uint8Array): OpenedFrame {
    if (frame.length < OVERHEAD) return { ok: false, reason: 'frame-truncated' };
    const number = new DataView(frame.buffer, frame.byteOffset).getUint32(0);
    if (number !== this.received) return { ok: false, reason: 'frame-forged' };
    this.received += 1;
    return { ok: true, plain: frame.slice(OVERHEAD) };
  }
}

class PlainHandshake implements SessionHandshake {
  private readonly avatar: Uint8Array;
  private readonly world: number;
  private readonly isInitiator: boolean;

  constructor(avatar: Uint8Array, world: number, isInitiator: boolean) {
    this.avatar = avatar;
    this.world = world;
    this.isInitiator = isInitiator;
  }

  start(): Uint8Array[] {
    return this.isInitiator ? [this.word()] : [];
  }

  receive(frame: Uint8Array): HandshakeStep {
    if (frame.length !== 33) return { kind: 'refused', reason: 'handshake-forged' };
    if (frame[0] !== this.world) return { kind: 'refused', reason: 'handshake-stranger' };
    const send = this.isInitiator ? [] : [this.word()];
    return { kind: 'open', send, session: new PlainSession(frame.slice(1)) };
  }

  private word(): Uint8Array {
    return Uint8Array.of(this.world, ...this.avatar);
  }
}

/** Sessions between those that name the same World by a number. */
export class PlainSessions implements SessionFactory {
  private readonly avatar: Uint8Array;
  private readonly world: number;

  constructor(avatar: Uint8Array, world = 1) {
    this.avatar = avatar;
    this.world = world;
  }

  initiate(): SessionHandshake {
    return new PlainHandshake(this.avatar, this.world, true);
  }

  respond(): SessionHandshake {
    return new PlainHandshake(this.avatar, this.world, false);
  }
}

/** The two ends of a session between `near` and `far`, without the handshake. */
export function openPlainSessions(): { near: Session; far: Session } {
  return {
    near: new PlainSession(new Uint8Array(32).fill(2)),
    far: new PlainSession(new Uint8Array(32).fill(1)),
  };
}
