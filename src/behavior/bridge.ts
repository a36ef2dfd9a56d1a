import type { Behavior } from '../model/behavior.ts';
import {
  type BehaviorCall,
  HOST_CALLS_MAX,
  HOST_MESSAGE_BYTES_MAX,
  type HostAnswer,
  type Json,
  type JsonRecord,
  LOG_LINE_MAX,
  LOG_LINES_MAX,
  type ProducedEntry,
  QUERY_ROWS_MAX,
  REASON_MAX,
} from '../ports/sandbox.ts';
import { jsonDepth } from './json-depth.ts';
import type { HostRequest } from './protocol.ts';
import { StopRun } from './stop.ts';

/** Asks the host and waits for JSON text. @throws StopRun where no answer comes. */
export type AskHost = (request: HostRequest) => HostAnswer<string>;

/** What a call costs beside a unit for each byte of what is said. */
const CALL_FUEL = 1000;
/** Levels of objects and lists in what the code says. */
const DEPTH_MAX = 64;
const VERB = /^[a-zA-Z][a-zA-Z0-9_]{0,31}$/;

/**
 * What one run may ask for, both kinds of code alike: it judges each request by the manifest,
 * counts it, and remembers what was produced. Requests and answers are JSON text; a refusal is an
 * answer, and what ends the run is a throw of `StopRun`.
 */
export class Bridge {
  readonly produced: ProducedEntry[] = [];
  readonly log: string[] = [];
  private readonly behavior: Behavior;
  private readonly ask: AskHost;
  readonly charge: (fuel: number) => void;
  private calls = 0;
  private outputBytes = 0;

  /** @param charge Takes fuel from the code; throws where there is none. */
  constructor(behavior: Behavior, ask: AskHost, charge: (fuel: number) => void) {
    this.behavior = behavior;
    this.ask = ask;
    this.charge = charge;
  }

  /** @param request `{ pact, where, limit, order }`. @returns the rows, as JSON text. */
  query(request: string): HostAnswer<string> {
    const { pact, where, limit, order } = this.read(request);
    const use = this.behavior.accesses.find((each) => each.name === pact);
    if (use === undefined) return undeclared(pact, 'accesses');
    if (!isRecord(where)) return refused('where is no object of field names and values');
    if (typeof limit !== 'number' || !Number.isInteger(limit) || limit < 1) {
      return refused('limit is no whole number above 0');
    }
    if (limit > QUERY_ROWS_MAX) return refused(`limit is above ${QUERY_ROWS_MAX}`);
    if (order !== 'newest' && order !== 'oldest') return refused('order is newest or oldest');
    return this.answerOf({ kind: 'query', pact: use.name, query: { where, limit, order } });
  }

  /** @param request `{ pact, entry }`. */
  produce(request: string): HostAnswer<string> {
    const { pact, entry } = this.read(request);
    const use = this.behavior.produces.find((each) => each.name === pact);
    if (use === undefined) return undeclared(pact, 'produces');
    if (!isRecord(entry)) return refused('an Entry is an object of field names and values');
    const bytes = this.outputBytes + Buffer.byteLength(JSON.stringify(entry));
    const { outputBytes } = this.behavior.limits;
    if (bytes > outputBytes) {
      throw new StopRun('output', `it produced more than ${outputBytes} bytes`);
    }
    const answer = this.answerOf({ kind: 'produce', pact: use.name, entry });
    if (answer.ok) {
      this.outputBytes = bytes;
      this.produced.push({ pact: use, entry });
    }
    return answer;
  }

  /** @param request `{ name, verb, args }`. @returns what the device said, as JSON text. */
  device(request: string): HostAnswer<string> {
    const { name, verb, args } = this.read(request);
    const use = this.behavior.devices.find((each) => each.name === name);
    if (use === undefined) return refused(`the device ${cut(name)} is not declared`);
    if (typeof verb !== 'string' || !VERB.test(verb)) return refused('a device has no such verb');
    if (!Array.isArray(args)) return refused('args is no list');
    if (!use.moves && verb !== 'get')
      return refused(`the device ${use.name} is declared read only`);
    return this.answerOf({ kind: 'device', name: use.name, verb, args });
  }

  fail(reason: string): never {
    throw new StopRun('failed', reason.slice(0, REASON_MAX));
  }

  say(line: string): void {
    this.charge(CALL_FUEL + line.length);
    if (this.log.length < LOG_LINES_MAX) this.log.push(line.slice(0, LOG_LINE_MAX));
  }

  /** Says whether the state that the code leaves behind is within its limit. */
  checkState(state: Uint8Array | null): void {
    const { stateBytes } = this.behavior.limits;
    if (state !== null && state.length > stateBytes) {
      throw new StopRun('output', `its state has ${state.length} bytes, at most ${stateBytes}`);
    }
  }

  private read(request: string): { readonly [name: string]: Json | undefined } {
    this.charge(CALL_FUEL + request.length);
    this.calls++;
    if (this.calls > HOST_CALLS_MAX) {
      throw new StopRun('output', `it asked the host more than ${HOST_CALLS_MAX} times`);
    }
    if (request.length > HOST_MESSAGE_BYTES_MAX) throw new StopRun('output', 'a request too long');
    if (jsonDepth(request) > DEPTH_MAX) throw new StopRun('output', `deeper than ${DEPTH_MAX}`);
    try {
      const value: unknown = JSON.parse(request);
      return isRecord(value) ? value : {};
    } catch (cause) {
      throw new StopRun('exception', `a request is no JSON: ${(cause as Error).message}`);
    }
  }

  private answerOf(request: HostRequest): HostAnswer<string> {
    const answer = this.ask(request);
    if (!answer.ok) return refused(answer.message);
    this.charge(answer.value.length);
    return answer;
  }
}

/** The four words that seed the chance of a call. */
export function seedOf(call: BehaviorCall): number[] {
  return [0, 8, 16, 24].map((at) => Number.parseInt(call.seed.slice(at, at + 8), 16));
}

function isRecord(value: unknown): value is JsonRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function refused(message: string): { readonly ok: false; readonly message: string } {
  return { ok: false, message: message.slice(0, REASON_MAX) };
}

function undeclared(pact: Json | undefined, list: string): HostAnswer<string> {
  return refused(`the Pact ${cut(pact)} is not declared under ${list}`);
}

function cut(name: Json | undefined): string {
  return typeof name === 'string' ? name.slice(0, 64) : 'without a name';
}
