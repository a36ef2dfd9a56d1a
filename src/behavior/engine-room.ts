import { JsEngine } from './js-engine.ts';
import { MemoryImage } from './memory-image.ts';
import { meter } from './meter.ts';

/** Fuel of the engine's own beginning: as good as without an end. */
const ENDLESS_FUEL = 2 ** 50;
/** Fuel of each beginning of a function or loop of the engine, whose code is known. */
const ENGINE_FUEL = 8;
const ENGINE_MEMORY_MAX = 256 * 1024 * 1024;

/**
 * Rewrites quickjs so that it counts all it does: JavaScript, regular expressions, sorting, long
 * numbers alike, and stops each of them at the same place everywhere.
 *
 * @param binary `quickjs.wasm` of the package quickjs-wasi.
 */
export function compileEngine(binary: Uint8Array): WebAssembly.Module {
  const metered = meter(binary, {
    memoryBytesMax: ENGINE_MEMORY_MAX,
    flatFuel: ENGINE_FUEL,
    fuelAtStart: ENDLESS_FUEL,
    // The engine checks its stack itself.
    stackSlotsMax: null,
    judgeImport: () => null,
  });
  if (!metered.ok) throw new Error(`quickjs-wasi is of an unknown make: ${metered.detail}`);
  return new WebAssembly.Module(metered.value.binary);
}

/** Makes instances of the JavaScript engine, all from one beginning. */
export class EngineRoom {
  private readonly module: WebAssembly.Module;
  private readonly base: MemoryImage;
  private readonly stackPointer: number;
  private readonly handles: Parameters<JsEngine['adopt']>[0];

  constructor(module: WebAssembly.Module) {
    this.module = module;
    const first = new JsEngine(module);
    this.handles = first.initialize();
    this.stackPointer = first.stackPointer;
    this.base = MemoryImage.of(first.memory, null);
  }

  /** One that has run the prelude and nothing else. */
  instance(): JsEngine {
    return this.instanceOf(this.base);
  }

  instanceOf(image: MemoryImage): JsEngine {
    const engine = new JsEngine(this.module);
    engine.adopt(this.handles);
    this.renew(engine, image);
    return engine;
  }

  /** Takes an engine back to where the image was taken. */
  renew(engine: JsEngine, image: MemoryImage): void {
    image.restore(engine.memory);
    engine.stackPointer = this.stackPointer;
  }

  imageOf(engine: JsEngine): MemoryImage {
    return MemoryImage.of(engine.memory, this.base);
  }
}
