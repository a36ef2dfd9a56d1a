import type { LinkError } from '../../ports/link.ts';

/** What can happen to a line. */
export type SerialEvent =
  | { readonly kind: 'heard'; readonly bytes: Uint8Array }
  /** The port took so many bytes that it was given. */
  | { readonly kind: 'written'; readonly count: number }
  | { readonly kind: 'send'; readonly frame: Uint8Array }
  /** The next whole frame is wanted. */
  | { readonly kind: 'fetch' }
  | { readonly kind: 'tick' }
  | { readonly kind: 'close' }
  | { readonly kind: 'abort' };

/** What a line wants done. */
export type SerialAction =
  | { readonly kind: 'write'; readonly bytes: Uint8Array }
  /** The other end is there. */
  | { readonly kind: 'up'; readonly begins: boolean }
  | { readonly kind: 'frame'; readonly frame: Uint8Array }
  | { readonly kind: 'drain' }
  /** Bytes come, and never a whole frame. Once. */
  | { readonly kind: 'noise' }
  /** The last word. */
  | { readonly kind: 'down'; readonly error: LinkError | null };
