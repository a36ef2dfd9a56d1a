export type KernelErrorCode =
  /** The file is not there or cannot be read. */
  | 'KERNEL_MISSING'
  /** The file is no WebAssembly that this machine can run. */
  | 'KERNEL_BROKEN'
  /** The file was built from another memory map. */
  | 'KERNEL_LAYOUT';

/** Thrown when the WASM cannot be loaded. Building anew mends every code. */
export class KernelError extends Error {
  override readonly name = 'KernelError';
  readonly code: KernelErrorCode;

  constructor(code: KernelErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
