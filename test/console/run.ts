import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod';

/**
 * `npm run test:console`: builds the console and tests it in Chromium, which Debian brings when it is missing.
 * The last line is `N passed, N failed`. Arguments go to vitest: `npm run test:console -- writes`.
 */

const root = join(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'fm-console-'));
const report = join(folder, 'report.json');

function run(command: string, ...args: readonly string[]): number {
  return spawnSync(command, args, { cwd: root, stdio: 'inherit' }).status ?? 1;
}

const built = run('node', 'console/build.ts');
const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
const ended =
  built === 0
    ? run(
        'npx',
        'vitest',
        'run',
        '--config',
        'vitest.console.config.ts',
        ...process.argv.slice(2),
        ...reporters,
      )
    : 1;
const counts = z.object({ numPassedTests: z.number(), numFailedTests: z.number() });
const { numPassedTests: passed, numFailedTests } = existsSync(report)
  ? counts.parse(JSON.parse(readFileSync(report, 'utf8')))
  : { numPassedTests: 0, numFailedTests: 1 };
rmSync(folder, { recursive: true });
// A file that does not load fails no test, and is a failure.
const failed = numFailedTests === 0 && ended !== 0 ? 1 : numFailedTests;
process.stdout.write(`${passed} passed, ${failed} failed\n`);
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
