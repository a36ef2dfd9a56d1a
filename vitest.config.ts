import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['.ci/test-setup.mjs'],
    setupFiles: ['test/setup.ts'],
    // Child processes: better-sqlite3 is a native add-on, and e2e tests send signals.
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 30_000,
    // What is awaited comes when it comes: a second, the default, is short on a busy machine.
    expect: { poll: { timeout: 25_000 } },
    // Builds what is stale, which takes half a minute on a busy machine.
    hookTimeout: 120_000,
  },
});
