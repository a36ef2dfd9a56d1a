import { EXIT } from './exit-code.ts';

/** What a command may do with the world outside; tests bring their own. */
export interface Io {
  /** Data. Resolves when there is room for more; false when nobody reads any longer. */
  readonly out: (text: string) => Promise<boolean>;
  /** Everything else. */
  readonly err: (text: string) => void;
  readonly input: AsyncIterable<Uint8Array>;
  /** Is somebody typing, rather than a file or program? */
  readonly isInputTerminal: boolean;
  /** Does somebody read it on a screen, rather than a file or program? */
  readonly isOutputTerminal: boolean;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Somebody pressed Ctrl-C, or the system wants us to end. */
  readonly interrupted: AbortSignal;
}

/** The process's own streams and signals. */
export function processIo(): Io {
  let interrupted: AbortSignal | null = null;
  // Whoever read the log may go; an agent does not end for that.
  process.stderr.on('error', refuseAllButClosed);
  return {
    out: writer(process.stdout),
    err: (text) => void process.stderr.write(text),
    input: process.stdin,
    isInputTerminal: process.stdin.isTTY === true,
    isOutputTerminal: process.stdout.isTTY === true,
    environment: process.env,
    /** Until somebody asks, signals end the process as always: also amid a long SELECT. */
    get interrupted() {
      interrupted ??= listenForSignals();
      return interrupted;
    },
  };
}

function listenForSignals(): AbortSignal {
  const controller = new AbortController();
  const interrupt = (): void => {
    // A second time means that the first was not heard.
    if (controller.signal.aborted) process.exit(EXIT.interrupted);
    controller.abort();
  };
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);
  // A terminal that goes away ends no process before its outputs are safe.
  process.on('SIGHUP', interrupt);
  return controller.signal;
}

/** Resolves when there is room again, or nobody reads any longer. */
function settled(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    const events = ['drain', 'error', 'close'];
    const done = (): void => {
      for (const event of events) stream.off(event, done);
      resolve();
    };
    for (const event of events) stream.on(event, done);
  });
}

/** `vertebra pull door | head -1` closes our output before we end: that is no failure. */
function writer(stream: NodeJS.WriteStream): Io['out'] {
  let isClosed = false;
  stream.on('error', (error: NodeJS.ErrnoException) => {
    refuseAllButClosed(error);
    isClosed = true;
  });
  return async (text) => {
    if (!isClosed && !stream.write(text)) await settled(stream);
    return !isClosed;
  };
}

function refuseAllButClosed(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
}
