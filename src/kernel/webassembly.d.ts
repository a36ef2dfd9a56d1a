/**
 * The part of the WebAssembly interface that the kernel and the sandboxes use; Node 20 has it, its
 * types do not.
 */
declare namespace WebAssembly {
  class Module {
    constructor(binary: Uint8Array<ArrayBuffer>);
  }
  type Imports = Record<string, Record<string, unknown>>;
  class Instance {
    constructor(module: Module, imports?: Imports);
    readonly exports: Record<string, unknown>;
  }
  class Memory {
    readonly buffer: ArrayBuffer;
    grow(pages: number): number;
  }
  class Global {
    readonly value: unknown;
  }
  class Table {}
  class RuntimeError extends Error {}
  function validate(binary: Uint8Array<ArrayBuffer>): boolean;
}
