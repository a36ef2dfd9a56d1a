// What stands for vitest inside of the guest, whose processor is played by a program: the runner of
// Node itself, with vitest's `expect`. It starts in a twentieth of the time, and waits for nobody.

import { afterEach, beforeEach, describe, test as runTest } from 'node:test';
import {
  GLOBAL_EXPECT,
  getState,
  JestAsymmetricMatchers,
  JestChaiExpect,
  JestExtend,
  setState,
} from '@vitest/expect';
import * as chai from 'chai';

for (const plugin of [JestExtend, JestChaiExpect, JestAsymmetricMatchers]) chai.use(plugin);

export const expect = Object.assign((value, message) => chai.expect(value, message), chai.expect);
const matchers = globalThis[Symbol.for('asymmetric-matchers-object')];
Object.assign(expect, matchers);
setState({ assertionCalls: 0, ...getState(globalThis[GLOBAL_EXPECT]) }, expect);

/** A test that waits for ever fails by then; the busiest machine is faster. */
const options = { timeout: 400_000 };

/** Names as vitest writes them: `%s` is the next of the row. */
function nameOf(name, row) {
  const left = [...row];
  return name.replace(/%s/g, () => String(left.shift()));
}

export const test = Object.assign((name, act) => runTest(name, options, () => act()), {
  each: (rows) => (name, act) => {
    for (const row of rows) {
      const args = Array.isArray(row) ? row : [row];
      runTest(nameOf(name, args), options, () => act(...args));
    }
  },
});
export { afterEach, beforeEach, describe, test as it };
