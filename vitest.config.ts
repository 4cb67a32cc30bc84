import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    projects: [
      { extends: true, test: { name: 'unit', include: ['test/unit/**/*.test.ts'] } },
      { extends: true, test: { name: 'conformance', include: ['test/conformance/**/*.test.ts'] } },
      { extends: true, test: { name: 'handlers', include: ['test/handlers/**/*.test.ts'] } },
      { extends: true, test: { name: 'rules', include: ['test/rules/**/*.test.ts'] } },
      {
        extends: true,
        test: {
          name: 'system',
          include: ['test/system/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 60_000,
          fileParallelism: false,
        },
      },
    ],
    // What keeps secrets apart is tested to the last branch. Ask for the rest with --coverage.include.
    coverage: {
      provider: 'v8',
      include: [
        'shared/envelope/**/*.ts',
        'shared/access/**/*.ts',
        'shared/contract/references.ts',
        'shared/contract/json-field.ts',
      ],
      reporter: [['text', { skipFull: true }]],
      reportOnFailure: true,
      thresholds: { perFile: true, lines: 100, branches: 100 },
    },
  },
});
