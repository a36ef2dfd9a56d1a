import { LinkError } from '../../ports/link.ts';

/** Why a dial ends that was called off: the LinkError it was called off with, or LINK_ABORTED. */
export function abortOf(signal: AbortSignal, url: string): LinkError {
  const cause: unknown = signal.reason;
  if (cause instanceof LinkError) return cause;
  return new LinkError('LINK_ABORTED', `${url}: called off`, { cause });
}
