// Before any test: both kernels are built.
import { build } from './build.mjs';

export async function setup() {
  await build({ wasmOnly: true });
}
