/**
 * What runs in the JavaScript engine before an author's module: takes away what no Behavior may
 * have, and makes of the host's functions what an author sees (`author.ts`). It holds on to the
 * intrinsics it needs, so that an author who changes them changes nothing here.
 *
 * Evaluates to a function of the host's functions, each from text to text.
 */
export const PRELUDE = `(function (host) {
'use strict';
const { parse, stringify } = JSON;
const { freeze } = Object;
const { isArray } = Array;
const ErrorOf = Error, TypeErrorOf = TypeError, StringOf = String, Bytes = Uint8Array;
const { apply } = Reflect;
const { imul, min } = Math;
const slice = StringOf.prototype.slice, join = Array.prototype.join;
const cut = (text) => apply(slice, text, [0, 1000]);
for (const name of ['SharedArrayBuffer', 'Atomics', 'WebAssembly', 'performance', 'WeakRef',
  'FinalizationRegistry', 'gc', 'std', 'os', 'print', 'scriptArgs', 'navigator']) {
  delete globalThis[name];
}

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const base64 = (bytes) => {
  let text = '';
  for (let at = 0; at < bytes.length; at += 3) {
    const many = min(3, bytes.length - at);
    const word = (bytes[at] << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
    text += LETTERS[word >> 18] + LETTERS[(word >> 12) & 63];
    text += many > 1 ? LETTERS[(word >> 6) & 63] : '=';
    text += many > 2 ? LETTERS[word & 63] : '=';
  }
  return text;
};
const plain = (_name, value) => (value instanceof Bytes ? base64(value) : value);
const write = (value, what) => {
  const text = stringify(value, plain);
  if (typeof text !== 'string') throw new TypeErrorOf(what + ' is no JSON value');
  return text;
};
const ask = (name, request) => {
  const answer = parse(host[name](write(request, name)));
  if (answer.ok) return answer.value;
  throw new ErrorOf(answer.message);
};

let a = 0, b = 0, c = 0, d = 0;
const random = () => {
  const sum = (a + b + d) | 0;
  d = (d + 1) | 0;
  a = b ^ (b >>> 9);
  b = (c + (c << 3)) | 0;
  c = (((c << 21) | (c >>> 11)) + sum) | 0;
  return (sum >>> 0) / 4294967296;
};
const seed = (words) => {
  a = words[0] | 0; b = words[1] | 0; c = words[2] | 0; d = words[3] | 0;
  for (let turn = 0; turn < 12; turn++) random();
};
Object.defineProperty(Math, 'random', { value: random });
const log = (...parts) => {
  const texts = [];
  for (let at = 0; at < parts.length && at < 16; at++) {
    const part = parts[at];
    texts[at] = typeof part === 'object' ? write(part, 'log') : StringOf(part);
  }
  host.log(cut(apply(join, texts, [' '])));
};
globalThis.console = freeze({ log, info: log, warn: log, error: log, debug: log });

const deviceOf = (name) =>
  new Proxy(freeze({}), {
    get: (_target, verb) =>
      typeof verb !== 'string' || verb === 'then'
        ? undefined
        : (...args) => ask('device', { name, verb, args }),
  });

let state = null;
const contextOf = (call) =>
  freeze({
    purpose: call.purpose,
    entry: call.entry,
    pact: call.pact,
    invocation: call.invocation,
    step: call.step,
    at: call.at,
    state: freeze({
      get: () => (state === null ? null : parse(state)),
      set: (value) => {
        state = write(value, 'the state');
      },
    }),
    query: (pact, options) => {
      const { where = {}, limit = 100, order = 'newest' } = options ?? {};
      return ask('query', { pact: StringOf(pact), where, limit, order });
    },
    produce: (pact, entry) => {
      ask('produce', { pact: StringOf(pact), entry });
    },
    fail: (reason) => {
      host.fail(cut(StringOf(reason)));
    },
    device: (name) => deviceOf(StringOf(name)),
    random,
    log,
  });

const describe = (thrown) => {
  try {
    if (thrown instanceof ErrorOf) {
      const where = StringOf(thrown.stack).split('\\n')[0].trim();
      const message = cut(thrown.name + ': ' + thrown.message);
      return write({ kind: 'threw', message, where: cut(where) }, 'an error');
    }
    return write({ kind: 'threw', message: cut('threw ' + StringOf(thrown)), where: '' }, 'it');
  } catch (again) {
    return '{"kind":"threw","message":"threw what cannot be shown","where":""}';
  }
};

let author = null;
let outcome = '';
const done = () => write({ kind: 'done', state }, 'the outcome');
const follow = async (promise) => {
  try {
    await promise;
    outcome = done();
  } catch (thrown) {
    outcome = describe(thrown);
  }
};

return freeze({
  install: (behavior) => {
    const isObject = typeof behavior === 'object' && behavior !== null;
    if (!isObject || typeof behavior.run !== 'function') return '{"can":"none"}';
    author = behavior;
    const can = typeof behavior.undo === 'function' ? 'undo' : 'run';
    return write({ can, declared: behavior }, 'the default export');
  },
  enter: (text) => {
    const call = parse(text);
    state = call.state;
    seed(call.seed);
    outcome = '';
    try {
      const context = contextOf(call);
      const result = call.purpose === 'undo' ? author.undo(context) : author.run(context);
      if (typeof result === 'object' && result !== null && typeof result.then === 'function') {
        outcome = '{"kind":"threw","message":"its promise is never settled","where":""}';
        follow(result);
      } else {
        outcome = done();
      }
    } catch (thrown) {
      outcome = describe(thrown);
    }
    return '';
  },
  leave: () => outcome,
  describe,
});
})`;
