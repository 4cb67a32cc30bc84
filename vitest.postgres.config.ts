import { defineConfig } from 'vitest/config';

/** `npm run test:postgres`: tests on a real PostgreSQL, apart, so that `npm test` needs none. */
export default defineConfig({
  test: {
    name: 'postgres',
    include: ['test/postgres/**/*.test.ts'],
    testTimeout: 900_000,
    hookTimeout: 900_000,
    fileParallelism: false,
  },
});
