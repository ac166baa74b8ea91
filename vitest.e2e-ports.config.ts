import { defineConfig } from 'vitest/config';

export const onFixedPorts: string[] = [
  'test/chaos.test.ts',
  'test/docs.test.ts',
  'test/guestbook.test.ts',
  'test/ingress.test.ts',
  'test/lifecycle.test.ts',
  'test/main-job.test.ts',
  'test/rootless.test.ts',
  'test/services.test.ts',
  'test/software.test.ts',
];

/** End-to-end tests that use ports of this machine which only one cluster can have: one at a time. */
export default defineConfig({
  test: {
    include: onFixedPorts,
    pool: 'forks',
    maxWorkers: 1,
    fileParallelism: false,
    testTimeout: 180_000,
    expect: { poll: { timeout: 60_000 } },
    hookTimeout: 180_000,
  },
});
