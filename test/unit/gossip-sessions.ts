import type {
  Carriage,
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
  private readonly carriage: Carriage;
  private sent = 0;
  private readonly received = new Set<number>();

  constructor(avatar: Uint8Array, carriage: Carriage = 'ordered') {
    this.carriage = carriage;
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
    const isDue = this.carriage === 'loose' || number === this.received.size;
    if (!isDue || this.received.has(number)) return { ok: false, reason: 'frame-forged' };
    this.received.add(number);
    return { ok: true, plain: frame.slice(OVERHEAD) };
  }
}

class PlainHandshake implements SessionHandshake {
  private readonly avatar: Uint8Array;
  private readonly world: number;
  private readonly isInitiator: boolean;
  private readonly carriage: Carriage;

  constructor(
    { avatar, world }: { readonly avatar: Uint8Array; readonly world: number },
    isInitiator: boolean,
    carriage: Carriage = 'ordered',
  ) {
    this.avatar = avatar;
    this.world = world;
    this.isInitiator = isInitiator;
    this.carriage = carriage;
  }

  start(): Uint8Array[] {
    return this.isInitiator ? [this.word()] : [];
  }

  receive(frame: Uint8Array): HandshakeStep {
    const kind = this.carriage === 'loose' ? 'ignored' : 'refused';
    if (frame.length !== 33) return { kind, reason: 'handshake-forged' };
    if (frame[0] !== this.world) return { kind, reason: 'handshake-stranger' };
    const send = this.isInitiator ? [] : [this.word()];
    return { kind: 'open', send, session: new PlainSession(frame.slice(1), this.carriage) };
  }

  private word(): Uint8Array {
    return Uint8Array.of(this.world, ...this.avatar);
  }
}

/** Sessions between those that name the same World by a number. */
export class PlainSessions implements SessionFactory {
  readonly avatar: Uint8Array;
  readonly world: number;

  constructor(avatar: Uint8Array, world = 1) {
    this.avatar = avatar;
    this.world = world;
  }

  initiate(carriage?: Carriage): SessionHandshake {
    return new PlainHandshake(this, true, carriage);
  }

  respond(carriage?: Carriage): SessionHandshake {
    return new PlainHandshake(this, false, carriage);
  }
}

/** The two ends of a session between `near` and `far`, without the handshake. */
export function openPlainSessions(): { near: Session; far: Session } {
  return {
    near: new PlainSession(new Uint8Array(32).fill(2)),
    far: new PlainSession(new Uint8Array(32).fill(1)),
  };
}
