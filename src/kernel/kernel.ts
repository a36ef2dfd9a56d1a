import type { Checksum } from '../ports/checksum.ts';
import type { Conflicts } from '../ports/conflicts.ts';
import type { Hasher } from '../ports/hasher.ts';
import type { Packer } from '../ports/packer.ts';
import { NativeHasher } from './native-hasher.ts';
import { RoutedHasher } from './routed-hasher.ts';
import type { Routing } from './routing.ts';
import { TwinChecksum } from './twin-checksum.ts';
import { TwinConflicts } from './twin-conflicts.ts';
import { TwinHasher } from './twin-hasher.ts';
import { TwinPacker } from './twin-packer.ts';
import { WasmChecksum } from './wasm-checksum.ts';
import { WasmConflicts } from './wasm-conflicts.ts';
import { WasmHasher } from './wasm-hasher.ts';
import { hasSimd, loadWasmModule, type WasmBuild } from './wasm-module.ts';
import { WasmPacker } from './wasm-packer.ts';

/** The hot path: hashing, packing, conflict checks and checksums. */
export interface Kernel {
  readonly hasher: Hasher;
  readonly packer: Packer;
  readonly conflicts: Conflicts;
  readonly checksum: Checksum;
  /** With or without SIMD. */
  readonly build: WasmBuild;
  /** Which hash goes to the WASM, which to node:crypto. Measured when first needed. */
  readonly routing: Routing;
}

export interface KernelOptions {
  /** `auto` takes SIMD where the processor has it. */
  readonly build?: WasmBuild | 'auto';
  /** Fixed instead of measured. */
  readonly routing?: Routing;
  /** Milliseconds with a fraction, for the measurement. */
  readonly now?: () => number;
}

/** Entries up to this size stay in the WASM, where a whole drain is one call. */
const SHORT_ENTRY_BYTES = 1024;

const ALL_IN_ONE: Routing = {
  batchBytesMax: Number.POSITIVE_INFINITY,
  hashBytesMax: Number.POSITIVE_INFINITY,
  isStreamInWasm: true,
};

/**
 * Loads the WASM: a few milliseconds, and 5 MiB of memory that never grows.
 *
 * @throws KernelError if it is not built (`npm run build`) or does not fit this code.
 */
export function loadKernel(options: KernelOptions = {}): Kernel {
  const { build = 'auto', routing, now = () => performance.now() } = options;
  const module = loadWasmModule(build === 'auto' ? (hasSimd() ? 'simd' : 'scalar') : build);
  const candidates = { wasm: new WasmHasher(module), native: new NativeHasher(), now };
  const hasher = new RoutedHasher(candidates, routing);
  const longestEntry = () => Math.max(SHORT_ENTRY_BYTES, hasher.routing.batchBytesMax);
  return {
    hasher,
    packer: new WasmPacker(module, hasher, longestEntry),
    conflicts: new WasmConflicts(module),
    checksum: new WasmChecksum(module),
    build: module.build,
    get routing() {
      return hasher.routing;
    },
  };
}

/** The same in plain TypeScript, slower: the measure of the WASM in tests and benchmarks. */
export function twinKernel(): Kernel {
  return {
    hasher: new TwinHasher(),
    packer: new TwinPacker(),
    conflicts: new TwinConflicts(),
    checksum: new TwinChecksum(),
    build: 'scalar',
    routing: ALL_IN_ONE,
  };
}
