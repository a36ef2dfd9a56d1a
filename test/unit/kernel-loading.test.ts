import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { loadKernel, twinKernel } from '../../src/kernel/kernel.ts';
import { KernelError } from '../../src/kernel/kernel-error.ts';
import { hasSimd, loadWasmModule } from '../../src/kernel/wasm-module.ts';

const folder = mkdtempSync(join(tmpdir(), 'vertebra-kernel-'));
afterAll(() => rmSync(folder, { recursive: true }));

function fileOf(name: string, content: Uint8Array): string {
  const file = join(folder, name);
  writeFileSync(file, content);
  return file;
}

function failureOf(file: string): KernelError {
  try {
    loadWasmModule('simd', file);
  } catch (error) {
    if (error instanceof KernelError) return error;
    throw error;
  }
  throw new Error('the module was loaded');
}

/** A module with a memory and a LAYOUT_VERSION, and nothing else. */
function moduleOfLayout(version: number): Uint8Array {
  const name = (text: string) => [text.length, ...Buffer.from(text)];
  const exported = [2, ...name('memory'), 2, 0, ...name('LAYOUT_VERSION'), 3, 0];
  return Uint8Array.of(
    ...[0, 97, 115, 109, 1, 0, 0, 0],
    ...[5, 3, 1, 0, 1],
    ...[6, 6, 1, 0x7f, 0, 0x41, version, 0x0b],
    ...[7, exported.length, ...exported],
  );
}

test('a kernel that is not built is named, with what to do', () => {
  const error = failureOf(join(folder, 'none.wasm'));
  expect(error.code).toBe('KERNEL_MISSING');
  expect(error.message).toContain('none.wasm');
  expect(error.message).toContain('npm run build');
  expect(error.cause).toMatchObject({ code: 'ENOENT' });
});

test('a file that is no kernel is named, with what to do', () => {
  const error = failureOf(fileOf('broken.wasm', Buffer.from('no WebAssembly')));
  expect(error.code).toBe('KERNEL_BROKEN');
  expect(error.message).toContain('npm run build');
});

test('a kernel of another layout is refused', () => {
  const error = failureOf(fileOf('layout.wasm', moduleOfLayout(63)));
  expect(error.code).toBe('KERNEL_LAYOUT');
  expect(error.message).toContain('layout 63');
  expect(error.message).toContain('npm run build');
});

test('a module that names no layout is refused', () => {
  const empty = Uint8Array.of(...[0, 97, 115, 109, 1, 0, 0, 0], ...[5, 3, 1, 0, 1]);
  const withMemory = Uint8Array.of(...empty, ...[7, 10, 1, 6, ...Buffer.from('memory'), 2, 0]);
  expect(failureOf(fileOf('bare.wasm', empty)).code).toBe('KERNEL_BROKEN');
  expect(failureOf(fileOf('nameless.wasm', withMemory)).code).toBe('KERNEL_LAYOUT');
});

test('the SIMD build is taken where the processor has SIMD', () => {
  expect(loadKernel().build).toBe(hasSimd() ? 'simd' : 'scalar');
  expect(loadKernel({ build: 'auto' }).build).toBe(hasSimd() ? 'simd' : 'scalar');
  expect(loadKernel({ build: 'scalar' }).build).toBe('scalar');
});

test('two kernels share no state', () => {
  const [one, other] = [loadKernel(), loadKernel()];
  const stream = one.hasher.stream().update(Uint8Array.of(1));
  other.hasher.stream().update(Uint8Array.of(2)).digest();
  expect(stream.digest()).toEqual(twinKernel().hasher.hash(Uint8Array.of(1)));
});
