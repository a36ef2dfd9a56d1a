/**
 * What a Behavior written in AssemblyScript imports as `vertebra/behavior`. It exports a function
 * `run` without parameters or result, and `undo` where it can take back what it did.
 */
import { Json } from './json';
import * as host from './vertebra';

export { Json } from './json';

/** The consumed Entry, by the names of its fields; null where there is none. */
export function entry(): Json {
  return Json.parse(taken(host.entry()));
}

/** The Pact of the consumed Entry; empty where there is none. */
export function pact(): string {
  return taken(host.pact());
}

export function invocation(): string {
  return taken(host.invocation());
}

export function step(): i32 {
  return host.step();
}

/** Unix milliseconds that the consumed Entry carries: the only clock. */
export function at(): f64 {
  return host.at();
}

/** From 0 to below 1, the same for the same invocation and step. */
export function random(): f64 {
  return host.random();
}

/** The state of the Saga's scope; null where there is none yet. */
export function state(): Json {
  const length = host.state();
  return length < 0 ? Json.null() : Json.parse(taken(length));
}

export function setState(value: Json): void {
  const text = String.UTF8.encode(value.toString());
  host.setState(changetype<usize>(text), text.byteLength);
}

/** Rows of an accessed Pact, the newest first. Traps where the host refuses. */
export function query(pact: string, where: Json | null = null, limit: i32 = 100): Json {
  const request = Json.record().setText('pact', pact).setText('order', 'newest');
  request.set('where', where ? where : Json.record()).setNumber('limit', limit);
  return Json.parse(answered(request, host.query));
}

/** Produces an Entry. Traps where the host refuses it; `tryProduce` does not. */
export function produce(pact: string, entry: Json): void {
  const refusal = tryProduce(pact, entry);
  assert(refusal.length == 0, refusal);
}

/** Produces an Entry. @returns why the host refuses it; empty where it does not. */
export function tryProduce(pact: string, entry: Json): string {
  const request = Json.record().setText('pact', pact).set('entry', entry);
  return refusalOf(call(request, host.produce));
}

/** Acts on a device and returns what it says. Traps where the host refuses. */
export function device(name: string, verb: string, args: Json | null = null): Json {
  const request = Json.record().setText('name', name).setText('verb', verb);
  return Json.parse(answered(request.set('args', args ? args : Json.list()), host.device));
}

/** Ends the run: the Stage has failed, for this reason. */
export function fail(reason: string): void {
  const text = String.UTF8.encode(reason);
  host.fail(changetype<usize>(text), text.byteLength);
}

export function log(line: string): void {
  const text = String.UTF8.encode(line);
  host.log(changetype<usize>(text), text.byteLength);
}

type Ask = (at: usize, length: i32) => i32;

function call(request: Json, ask: Ask): i32 {
  const text = String.UTF8.encode(request.toString());
  return ask(changetype<usize>(text), text.byteLength);
}

function answered(request: Json, ask: Ask): string {
  const length = call(request, ask);
  if (length < 0) assert(false, refusalOf(length));
  return taken(length);
}

function refusalOf(length: i32): string {
  return length < 0 ? taken(-1 - length) : '';
}

function taken(length: i32): string {
  const buffer = new ArrayBuffer(length);
  host.take(changetype<usize>(buffer));
  return String.UTF8.decode(buffer);
}
