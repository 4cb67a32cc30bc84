import { defineConfig } from 'vitest/config';

/** The tests that judge the mutants: those of what keeps secrets apart, which take seconds. */
export default defineConfig({
  test: {
    testTimeout: 60_000,
    include: ['test/unit/{envelope,access,audit,contract}/**/*.test.ts'],
    exclude: ['test/unit/contract/openapi.test.ts'],
  },
});
