import { vi } from 'vitest';
import { WorkerSandbox } from '../../src/behavior/worker-sandbox.ts';
import { JAVASCRIPT } from '../contract/javascript-samples.ts';
import { describeSandboxes } from '../contract/sandbox.ts';
import { behaviorOf } from './behavior-samples.ts';

// An upper bound for a busy machine: workers start, compilers are loaded.
vi.setConfig({ testTimeout: 120_000 });

const MEBIBYTE = 1024 * 1024;
const limits = {
  memoryBytes: 4 * MEBIBYTE,
  fuel: 50_000_000,
  outputBytes: 65_536,
  stateBytes: 1000,
};

describeSandboxes({
  name: 'JavaScript',
  open: () => new WorkerSandbox(),
  behavior: (name) => behaviorOf(JAVASCRIPT[name], { limits }),
});
