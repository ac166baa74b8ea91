import { defineConfig } from 'vitest/config';
import { onFixedPorts } from './vitest.e2e-ports.config.ts';

/** End-to-end tests whose clusters share nothing but the machine. */
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: onFixedPorts,
    pool: 'forks',
    maxWorkers: 2,
    env: { KANOE_TEST_RANGES: 'own' },
    testTimeout: 180_000,
    expect: { poll: { timeout: 60_000 } },
    hookTimeout: 180_000,
  },
});
