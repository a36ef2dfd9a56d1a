import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { instantiateSync } from '@assemblyscript/loader';
import { InvariantError, invariant } from '../model/invariant.ts';
import { KernelError } from './kernel-error.ts';
import { ENTRY_COUNT_MAX, ITEM_COUNT_MAX, NODE_COUNT_MAX } from './limits.ts';

export type WasmBuild = 'simd' | 'scalar';

/** Version of the memory map that this code was written for. */
const LAYOUT_VERSION = 1;

/** What `assembly/index.ts` exports; units and areas are described there. */
export interface WasmExports extends Record<string, unknown> {
  hashMessage(length: number): void;
  hashBatch(count: number, byteLength: number): void;
  streamBegin(): void;
  streamUpdate(length: number): void;
  streamDigest(): void;
  pack(before: number, count: number, total: number, byteLength: number): void;
  packLeaves(before: number, count: number, total: number): void;
  isAncestor(count: number, ancestor: number, descendant: number): number;
  areRivals(count: number, a: number, b: number): number;
  firstRival(count: number, judged: number): number;
  firstDuplicate(count: number): number;
  firstGap(count: number, issuerCount: number): number;
  chooseParents(count: number, max: number): number;
  crc32(seed: number, length: number): number;
}

/** Byte offsets of the areas of the memory map. */
export interface WasmAreas {
  readonly input: number;
  readonly lengths: number;
  readonly output: number;
  readonly result: number;
  readonly context: number;
}

/**
 * One instance of the kernel. Its memory never grows, so the views stay valid; they are for the
 * classes of this folder alone, which copy in and out and hand none of them on.
 */
export interface WasmModule {
  readonly build: WasmBuild;
  readonly exports: WasmExports;
  readonly areas: WasmAreas;
  readonly contextBytes: number;
  readonly inputBytesMax: number;
  readonly itemCountMax: number;
  /** The whole memory. */
  readonly bytes: Uint8Array;
  readonly words: Uint32Array;
  readonly doubles: Float64Array;
}

/** The smallest module that uses a SIMD instruction: `i32.const 0; i8x16.splat; drop`. */
const SIMD_PROBE = Uint8Array.of(
  ...[0, 97, 115, 109, 1, 0, 0, 0], // magic, version
  ...[1, 4, 1, 96, 0, 0], // type: () -> ()
  ...[3, 2, 1, 0], // one function of that type
  ...[10, 9, 1, 7, 0, 65, 0, 253, 15, 26, 11], // its code
);

/** Can this processor run the SIMD build? */
export function hasSimd(): boolean {
  return WebAssembly.validate(SIMD_PROBE);
}

/** Where the build lies; the same from `src/kernel` and from `build/kernel`. */
export function wasmFile(build: WasmBuild): string {
  const name = build === 'simd' ? 'kernel-simd.wasm' : 'kernel.wasm';
  return fileURLToPath(new URL(`../../build/wasm/${name}`, import.meta.url));
}

/**
 * Loads one build of the kernel.
 *
 * @throws KernelError if the file is missing, broken or of another layout.
 */
export function loadWasmModule(build: WasmBuild, file: string = wasmFile(build)): WasmModule {
  const exports = instantiate(readKernel(file), file);
  const version = constant(exports, 'LAYOUT_VERSION');
  if (version !== LAYOUT_VERSION) {
    const message = `${file} has layout ${version}, not ${LAYOUT_VERSION}: run \`npm run build\``;
    throw new KernelError('KERNEL_LAYOUT', message);
  }
  checkLimits(exports);
  const buffer = exports.memory.buffer;
  return {
    build,
    exports,
    areas: {
      input: constant(exports, 'INPUT'),
      lengths: constant(exports, 'LENGTHS'),
      output: constant(exports, 'OUTPUT'),
      result: constant(exports, 'RESULT'),
      context: constant(exports, 'CONTEXT'),
    },
    contextBytes: constant(exports, 'CONTEXT_BYTES'),
    inputBytesMax: constant(exports, 'INPUT_BYTES_MAX'),
    itemCountMax: constant(exports, 'ITEM_COUNT_MAX'),
    bytes: new Uint8Array(buffer),
    words: new Uint32Array(buffer),
    doubles: new Float64Array(buffer),
  };
}

type Instance = WasmExports & { readonly memory: WebAssembly.Memory };

function readKernel(file: string): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(readFileSync(file));
  } catch (cause) {
    const message = `cannot read ${file}: run \`npm run build\``;
    throw new KernelError('KERNEL_MISSING', message, { cause });
  }
}

function instantiate(binary: Uint8Array<ArrayBuffer>, file: string): Instance {
  let readText: ((text: number) => string) | undefined;
  const abort = (text: number, source: number, line: number): never => {
    // The kernel's assertions are ours: what they stop is a bug of this folder.
    const message = readText ? readText(text) : 'the kernel does not start';
    throw new InvariantError(`${message} (${readText?.(source)}:${line})`);
  };
  try {
    const { exports } = instantiateSync<WasmExports>(binary, { env: { abort } });
    readText = exports.__getString;
    if (!exports.memory) throw new TypeError('no memory is exported');
    return Object.assign(exports, { memory: exports.memory });
  } catch (cause) {
    const message = `cannot run ${file}: run \`npm run build\``;
    throw new KernelError('KERNEL_BROKEN', message, { cause });
  }
}

function constant(exports: WasmExports, name: string): number {
  const global = exports[name];
  return global instanceof WebAssembly.Global ? Number(global.value) : Number.NaN;
}

function checkLimits(exports: WasmExports): void {
  invariant(constant(exports, 'ENTRY_COUNT_MAX') === ENTRY_COUNT_MAX, 'Entry limits agree');
  invariant(constant(exports, 'NODE_COUNT_MAX') === NODE_COUNT_MAX, 'window limits agree');
  invariant(constant(exports, 'ITEM_COUNT_MAX') === ITEM_COUNT_MAX, 'item limits agree');
}
