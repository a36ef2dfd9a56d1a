export type IdentityErrorCode =
  /** There is no such file. */
  | 'IDENTITY_FILE_MISSING'
  /** A file that is there already is never overwritten. */
  | 'IDENTITY_FILE_EXISTS'
  /** Others than its owner can read or change the file. */
  | 'IDENTITY_FILE_EXPOSED'
  /** Cut short, or not such a file at all. */
  | 'IDENTITY_FILE_WRONG_SIZE'
  /** Of the right size, but it does not read as what it should hold. */
  | 'IDENTITY_FILE_MALFORMED'
  /** The operating system would not let us read it. */
  | 'IDENTITY_FILE_UNREADABLE'
  /** The operating system would not let us write it: no space, no permission, no folder. */
  | 'IDENTITY_FILE_UNWRITABLE';

/**
 * Thrown when a key file cannot be used. Says what, where and how to mend it; never the content.
 */
export class IdentityError extends Error {
  override readonly name = 'IdentityError';
  readonly code: IdentityErrorCode;

  constructor(code: IdentityErrorCode, message: string, options?: { readonly cause: unknown }) {
    super(message, options);
    this.code = code;
  }
}
