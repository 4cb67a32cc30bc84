import { defineConfig } from 'vitest/config';

/** `npm run test:aws`, which starts the emulators that these tests need. Apart, so that `npm test` needs none. */
export default defineConfig({
  test: {
    name: 'aws',
    include: ['test/aws/**/*.test.ts'],
    // A busy machine takes ten times as long; nothing here is about time.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    // Two emulators on two cores: side by side they only wait for each other.
    fileParallelism: false,
  },
});
