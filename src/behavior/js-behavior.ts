import type { Behavior } from '../model/behavior.ts';
import { accept, refuse, type Verdict } from '../model/verdict.ts';
import type {
  BehaviorCall,
  BehaviorOutcome,
  HostAnswer,
  JsonRecord,
  LoadedBehavior,
  LoadRefusal,
} from '../ports/sandbox.ts';
import { type AskHost, Bridge, seedOf } from './bridge.ts';
import type { EngineRoom } from './engine-room.ts';
import type { Executable } from './executable.ts';
import { GuestError, type JsEngine, type TextHost } from './js-engine.ts';
import type { MemoryImage } from './memory-image.ts';
import { brokenBy, endedBy } from './outcome.ts';
import { StopRun } from './stop.ts';

/** What the prelude found, as it writes it. */
interface Installed {
  readonly can: 'none' | 'run' | 'undo';
  readonly declared?: JsonRecord;
}

/** Characters of what an author declares. */
const DECLARED_MAX = 64 * 1024;

/** How a run ended, as the prelude writes it. */
type Ending =
  | { readonly kind: 'done'; readonly state: string | null }
  | { readonly kind: 'threw'; readonly message: string; readonly where: string };

/**
 * A JavaScript Behavior. Its module is evaluated once; what the memory was then is what every run
 * begins with, be its instance a new one or the one of the run before.
 */
export class JsBehavior implements Executable {
  readonly behavior: Behavior;
  readonly canUndo: boolean;
  readonly declared: JsonRecord | null;
  private readonly room: EngineRoom;
  private readonly image: MemoryImage;
  private engine: JsEngine | null;

  private constructor(room: EngineRoom, engine: JsEngine, loaded: LoadedBehavior) {
    this.behavior = loaded.behavior;
    this.canUndo = loaded.canUndo;
    this.declared = loaded.declared;
    this.room = room;
    this.engine = engine;
    this.image = room.imageOf(engine);
  }

  static load(behavior: Behavior, room: EngineRoom): Verdict<JsBehavior, LoadRefusal> {
    const code = Buffer.from(behavior.code).toString('utf8');
    const engine = room.instance();
    engine.limitHeap(behavior.limits.memoryBytes);
    engine.limitMemory(behavior.limits.memoryBytes);
    engine.fuel = behavior.limits.fuel;
    try {
      const installed = engine.load(code);
      if (installed.length > DECLARED_MAX) return refuse('too-costly', 'it declares too much');
      const { can, declared = null } = JSON.parse(installed) as Installed;
      if (can === 'none') return refuse('no-run', 'its default export has no function run(ctx)');
      return accept(new JsBehavior(room, engine, { behavior, canUndo: can === 'undo', declared }));
    } catch (cause) {
      if (engine.fuel < 0) return refuse('too-costly', 'its module uses up the fuel');
      if (cause instanceof GuestError) return refusalOf(readEnding(cause.message));
      if (cause instanceof StopRun && cause.how === 'exception') {
        return refuse('not-permitted', 'its module calls the host before it is run');
      }
      const message = cause instanceof Error ? cause.message : String(cause);
      return refuse('too-costly', `its module does not come to its end: ${message}`);
    }
  }

  get isWarm(): boolean {
    return this.engine !== null;
  }

  cool(): void {
    this.engine = null;
  }

  run(call: BehaviorCall, ask: AskHost): BehaviorOutcome {
    const { fuel, memoryBytes } = this.behavior.limits;
    const engine = this.engine ?? this.room.instanceOf(this.image);
    this.engine = engine;
    const charge = (cost: number) => {
      engine.fuel -= cost;
      if (engine.fuel < 0) throw new StopRun('fuel', 'the fuel is used up');
    };
    const bridge = new Bridge(this.behavior, ask, charge);
    engine.limitMemory(memoryBytes);
    engine.at = call.at;
    engine.fuel = fuel;
    engine.host = textHostOf(bridge);
    const notes = () => ({ fuelUsed: Math.min(fuel, fuel - engine.fuel), log: bridge.log });
    try {
      const ending = readEnding(engine.enter(textOf(call)));
      if (ending.kind === 'threw') return brokenBy(explainThrow(ending), notes());
      const state = ending.state === null ? null : new TextEncoder().encode(ending.state);
      bridge.checkState(state);
      return { kind: 'done', produced: bridge.produced, state, ...notes() };
    } catch (cause) {
      if (engine.fuel < 0) return brokenBy(new StopRun('fuel', 'the fuel is used up'), notes());
      if (cause instanceof StopRun) return endedBy(cause, bridge.produced, notes());
      return brokenBy(explain(cause), notes());
    } finally {
      engine.host = null;
      this.clean(engine);
    }
  }

  /** What a run left behind is gone before the next one: in the memory, or with it. */
  private clean(engine: JsEngine): void {
    if (engine.memory.buffer.byteLength > this.image.byteLength) this.engine = null;
    else this.room.renew(engine, this.image);
  }
}

function textHostOf(bridge: Bridge): TextHost {
  return {
    query: (text) => wrap(bridge.query(text)),
    produce: (text) => wrap(bridge.produce(text)),
    device: (text) => wrap(bridge.device(text)),
    fail: (text) => bridge.fail(text),
    log: (text) => {
      bridge.say(text);
      return '';
    },
  };
}

/** The value is JSON text already. */
function wrap(answer: HostAnswer<string>): string {
  return answer.ok ? `{"ok":true,"value":${answer.value}}` : JSON.stringify(answer);
}

function textOf(call: BehaviorCall): string {
  const state = call.state === null ? null : Buffer.from(call.state).toString('utf8');
  return JSON.stringify({ ...call, state, seed: seedOf(call) });
}

function readEnding(text: string): Ending {
  try {
    return JSON.parse(text) as Ending;
  } catch (cause) {
    if (cause instanceof SyntaxError) return { kind: 'threw', message: text, where: '' };
    throw cause;
  }
}

function explainThrow({ message, where }: { message: string; where: string }): StopRun {
  if (message === 'InternalError: out of memory') return new StopRun('memory', 'out of memory');
  if (message.includes('call stack size exceeded')) return new StopRun('stack', message);
  return new StopRun('exception', where === '' ? message : `${message} (${where})`);
}

function refusalOf(ending: Ending): Verdict<never, LoadRefusal> {
  if (ending.kind === 'done') return refuse('not-code');
  const { how, message } = explainThrow(ending);
  return refuse(how === 'exception' ? 'not-code' : 'too-costly', message);
}

/** What a trap threw, or V8 itself. */
function explain(cause: unknown): StopRun {
  if (cause instanceof GuestError) {
    const ending = readEnding(cause.message);
    return ending.kind === 'threw' ? explainThrow(ending) : new StopRun('exception', cause.message);
  }
  if (cause instanceof RangeError) return new StopRun('stack', cause.message);
  return new StopRun('exception', cause instanceof Error ? cause.message : String(cause));
}
