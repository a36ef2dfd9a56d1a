import { LinkError } from '../../ports/link.ts';

/** Why a dial ends that was called off: the LinkError it was called off with, or LINK_ABORTED. */
export function abortOf(signal: AbortSignal, url: string): LinkError {
  const cause: unknown = signal.reason;
  if (cause instanceof LinkError) return cause;
  return new LinkError('LINK_ABORTED', `${url}: called off`, { cause });
}

/** Waits for work that goes on by itself, until it is called off. @throws LinkError */
export function orAborted<T>(work: Promise<T>, signal: AbortSignal, url: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(abortOf(signal, url));
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
