import { connect, createServer, type Server } from 'node:net';
import { BoardError } from '../ports/board.ts';
import type { Reservations } from './line-driver.ts';

const HOLDER_BYTES_MAX = 200;
/** Only to name who holds a pin: it is held, whatever the answer. The holder may be busy. */
const ASK_MS = 5000;

/** An abstract socket: no file, and gone with its process, however that ends (unix(7)). */
const addressOf = (key: string): string => `\0vertebra pin ${key}`;

/**
 * Pins among all processes of this machine: sysfs lets two drive one pin, and each of two agents,
 * or `vertebra device test` beside one, would do so.
 */
export class HostReservations implements Reservations {
  async reserve(key: string, owner: string): Promise<() => Promise<void>> {
    const holder = `${owner} (process ${process.pid})`.slice(0, HOLDER_BYTES_MAX);
    const server = createServer((socket) => {
      // Whoever asks may go before it hears the answer.
      socket.on('error', () => socket.destroy());
      socket.end(holder);
    });
    try {
      await listen(server, addressOf(key));
    } catch (cause) {
      if (!(cause instanceof Error && 'code' in cause && cause.code === 'EADDRINUSE')) throw cause;
      const who = (await this.holder(key)) ?? 'another process';
      const pin = key.split(' ').slice(1).join(' ');
      const message = `${pin} is held by ${who}; ${owner} cannot have it. Release it there first.`;
      throw new BoardError('BOARD_PIN_HELD', message, { cause });
    }
    // A pin alone keeps no process up.
    server.unref();
    return () => new Promise((done) => server.close(() => done()));
  }

  /** Who has it, in whichever process; null: nobody, or nobody who says so. */
  holder(key: string): Promise<string | null> {
    return new Promise((done) => {
      const socket = connect(addressOf(key));
      let text = '';
      const end = (): void => {
        socket.destroy();
        done(text === '' ? null : text.slice(0, HOLDER_BYTES_MAX));
      };
      socket.setTimeout(ASK_MS, end);
      socket.on('data', (bytes) => {
        text += bytes.toString('utf8');
        if (text.length > HOLDER_BYTES_MAX) end();
      });
      socket.on('end', end);
      socket.on('error', end);
    });
  }
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((done, fail) => {
    server.once('error', fail);
    server.listen(path, () => {
      server.off('error', fail);
      done();
    });
  });
}
