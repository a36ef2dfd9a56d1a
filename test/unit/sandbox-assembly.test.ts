import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, vi } from 'vitest';
import { compileBehavior } from '../../src/behavior/compile-behavior.ts';
import { WorkerSandbox } from '../../src/behavior/worker-sandbox.ts';
import { ASSEMBLY } from '../contract/assembly-samples.ts';
import { exportedPart } from '../contract/exported-part.ts';
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
const folder = mkdtempSync(join(tmpdir(), 'vertebra-assembly-'));
let binary: Uint8Array;

beforeAll(async () => {
  const file = join(folder, 'samples.as.ts');
  writeFileSync(file, ASSEMBLY);
  binary = (await compileBehavior(file)).code;
});
afterAll(() => rmSync(folder, { recursive: true }));

describeSandboxes({
  name: 'AssemblyScript',
  open: () => new WorkerSandbox(),
  behavior: (name) => behaviorOf(exportedPart(binary, name), { kind: 'webassembly', limits }),
});
