// Runs inside of the guest of gpio-vm, whose view of this checkout is read-only.
export default {
  cacheDir: '/tmp/vite',
  test: {
    include: ['test/device/*-board.ts'],
    pool: 'forks',
    maxWorkers: 1,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
};
