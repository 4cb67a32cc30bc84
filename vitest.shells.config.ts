import { defineConfig } from 'vitest/config';

/** `npm run test:shells`: tests with programs that npm does not bring, apart, so that `npm test` needs none. */
export default defineConfig({
  test: {
    name: 'shells',
    include: ['test/shells/**/*.test.ts'],
    testTimeout: 900_000,
    hookTimeout: 1_800_000,
    fileParallelism: false,
  },
});
