/** The part of the WebAssembly interface that the kernel uses; Node 20 has it, its types do not. */
declare namespace WebAssembly {
  class Module {
    constructor(binary: Uint8Array<ArrayBuffer>);
  }
  class Instance {
    readonly exports: Record<string, unknown>;
  }
  class Memory {
    readonly buffer: ArrayBuffer;
  }
  class Global {
    readonly value: unknown;
  }
  class Table {}
  function validate(binary: Uint8Array<ArrayBuffer>): boolean;
}
