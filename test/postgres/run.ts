import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod';

/**
 * `npm run test:postgres`: rotates passwords of a real PostgreSQL, which Debian brings when it is missing. The last
 * line is `N passed, N failed`.
 */

const folder = mkdtempSync(join(tmpdir(), 'fm-postgres-'));
const report = join(folder, 'report.json');
const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
const args = [
  'vitest',
  'run',
  '--config',
  'vitest.postgres.config.ts',
  ...process.argv.slice(2),
  ...reporters,
];
const { status } = spawnSync('npx', args, { cwd: join(import.meta.dirname, '../..'), stdio: 'inherit' });
const counts = z.object({ numPassedTests: z.number(), numFailedTests: z.number() });
const { numPassedTests: passed, numFailedTests } = existsSync(report)
  ? counts.parse(JSON.parse(readFileSync(report, 'utf8')))
  : { numPassedTests: 0, numFailedTests: 1 };
rmSync(folder, { recursive: true });
// A file that does not load fails no test, and is a failure.
const failed = numFailedTests === 0 && status !== 0 ? 1 : numFailedTests;
process.stdout.write(`${passed} passed, ${failed} failed\n`);
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
