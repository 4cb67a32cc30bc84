import { expect, test } from 'vitest';
import { runHistories } from '../conformance/audit-histories.ts';
import { dynamoHost } from './dynamo-host.ts';
import { dynamodbLocal } from './emulators.ts';

/** Ten thousand take an hour: `FM_TEST_HISTORIES=10000 npm run test:aws -- audit-histories`. */
const HISTORIES = Number(process.env['FM_TEST_HISTORIES'] ?? 25);

test(`${HISTORIES} histories with faults lose no record on DynamoDB, keep none twice, and let no value out without one`, {
  timeout: 4 * 60 * 60 * 1000,
}, async () => {
  const { injected, problems } = await runHistories(dynamoHost(dynamodbLocal), 1, HISTORIES, (done) => {
    process.stderr.write(`${done} histories\n`);
    return true;
  });
  expect(problems).toEqual([]);
  expect(injected.size).toBeGreaterThan(20);
});
