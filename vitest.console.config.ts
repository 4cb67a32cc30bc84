import { defineConfig } from 'vitest/config';

/** `npm run test:console`: tests in a browser, apart, so that `npm test` needs none. */
export default defineConfig({
  test: {
    name: 'console',
    include: ['test/console/**/*.test.ts'],
    testTimeout: 120_000,
    hookTimeout: 900_000,
    fileParallelism: false,
  },
});
