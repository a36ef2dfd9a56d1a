import type { LinkGoodput } from './contract.ts';

/** What was carried is counted in pieces of time so long, in milliseconds, over so many of them. */
const PIECE_MS = 10_000;
const PIECES = 6;

interface Piece {
  readonly number: number;
  sent: number;
  received: number;
}

/** Bytes of messages a second that a link carried both ways in the last minute. */
export class Goodput {
  private readonly sinceMs: number;
  private pieces: Piece[] = [];

  constructor(nowMs: number) {
    this.sinceMs = nowMs;
  }

  add(nowMs: number, { sent = 0, received = 0 }: { sent?: number; received?: number }): void {
    const number = Math.floor(nowMs / PIECE_MS);
    let last = this.pieces.at(-1);
    if (last?.number !== number) {
      last = { number, sent: 0, received: 0 };
      this.pieces = [...this.pieces.slice(1 - PIECES), last];
    }
    last.sent += sent;
    last.received += received;
  }

  /** Over less than a minute where the link is younger. */
  perSecond(nowMs: number): LinkGoodput {
    const oldest = Math.floor(nowMs / PIECE_MS) - PIECES + 1;
    const pieces = this.pieces.filter((each) => each.number >= oldest);
    const fromMs = Math.max(this.sinceMs, oldest * PIECE_MS);
    const seconds = Math.max(1, (nowMs - fromMs) / 1_000);
    const sum = (of: (piece: Piece) => number) =>
      pieces.reduce((total, piece) => total + of(piece), 0);
    return {
      sentBytesPerSecond: sum((each) => each.sent) / seconds,
      receivedBytesPerSecond: sum((each) => each.received) / seconds,
    };
  }
}
