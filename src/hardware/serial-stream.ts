import { BoardError } from '../ports/board.ts';
import type { ByteStream, ByteStreamHandler } from '../ports/byte-stream.ts';

/** A device that takes nothing for so long is closed without what is still queued, ms. */
const CLOSE_MS = 1000;

/** What we need of `SerialPort`; the package is optional and loaded when a port is opened. */
type Port = import('serialport').SerialPort;

/**
 * Opens a serial device: 8 data bits, no parity, one stop bit, for this process alone.
 *
 * @throws BoardError BOARD_PACKAGE_MISSING, BOARD_INTERFACE_MISSING, BOARD_PERMISSION,
 *   BOARD_PIN_HELD, BOARD_FAILED
 */
export async function openSerialStream(path: string, baudRate: number): Promise<ByteStream> {
  const { SerialPort } = await loadSerialport();
  const port = new SerialPort({ path, baudRate, lock: true, autoOpen: false });
  await new Promise<void>((done, fail) => {
    port.open((cause) => (cause === null ? done() : fail(openError(path, cause))));
  });
  return new SerialStream(path, port);
}

async function loadSerialport(): Promise<typeof import('serialport')> {
  try {
    return await import('serialport');
  } catch (cause) {
    const mend = 'Install it: npm install serialport.';
    const message = `The package serialport is missing or does not load here. ${mend}`;
    throw new BoardError('BOARD_PACKAGE_MISSING', message, { cause });
  }
}

/** serialport has texts and no codes. */
function openError(path: string, cause: Error): BoardError {
  const { message: text } = cause;
  if (/no such file|no such device/i.test(text)) {
    const message = `There is no ${path}. Plug it in, or enable the UART (docs/hardware.md).`;
    return new BoardError('BOARD_INTERFACE_MISSING', message, { cause });
  }
  if (/permission denied/i.test(text)) {
    const mend = 'sudo usermod -aG dialout "$USER", then log in again.';
    const message = `${path} may not be opened by this user. ${mend}`;
    return new BoardError('BOARD_PERMISSION', message, { cause });
  }
  if (/lock|busy/i.test(text)) {
    const message = `${path} is held by another process (fuser ${path} says which). End it first.`;
    return new BoardError('BOARD_PIN_HELD', message, { cause });
  }
  return new BoardError('BOARD_FAILED', `${path} cannot be opened: ${text}.`, { cause });
}

class SerialStream implements ByteStream {
  readonly name: string;
  readonly #port: Port;
  #handler: ByteStreamHandler | null = null;
  #error: Error | null = null;
  #isClosed = false;

  constructor(path: string, port: Port) {
    this.name = path;
    this.#port = port;
    port.on('error', (error) => {
      this.#error = error;
      if (port.isOpen) port.close();
      this.#end();
    });
    // `close` may come twice when a cable is pulled.
    port.on('close', (error: Error | null) => {
      this.#error ??= error;
      this.#end();
    });
  }

  get queuedBytes(): number {
    return this.#port.writableLength;
  }

  write(bytes: Uint8Array): void {
    if (!this.#isClosed && bytes.length > 0) this.#port.write(Buffer.from(bytes));
  }

  handle(handler: ByteStreamHandler): void {
    this.#handler = handler;
    this.#port.on('data', (bytes: Buffer) => handler.onBytes(new Uint8Array(bytes)));
  }

  /** A write that the device never takes has no callback: time ends it. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    await new Promise<void>((done) => {
      const timer = setTimeout(done, CLOSE_MS);
      this.#port.drain(() => {
        clearTimeout(timer);
        done();
      });
    });
    await new Promise<void>((done) => {
      this.#port.close(() => done());
    });
    this.#end();
  }

  #end(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#handler?.onClose(this.#error);
  }
}
