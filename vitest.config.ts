import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'tools/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 20_000,
    expect: { poll: { timeout: 10_000 } },
    // Rewrites the files that `toMatchFileSnapshot` compares with.
    update: process.env['UPDATE_GOLDEN'] === '1',
  },
});
