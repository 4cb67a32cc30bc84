import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod';
import { tellMissingProofs } from './proofs.ts';

/**
 * `npm test`: every suite one after the other, its output shown as it comes. The last line is the sum of
 * them all, `N passed, N failed`; the exit code is 1 when one failed or when none ran.
 */

interface Count {
  readonly passed: number;
  readonly failed: number;
}

interface Suite {
  readonly command: string;
  /** `report` is a path that does not exist yet, for suites that write down how it went. */
  readonly args: (report: string) => readonly string[];
  /** Tests counted from the report; null for a step that is no test and counts only when it fails. */
  readonly count: ((report: string) => Count) | null;
}

const suites: readonly Suite[] = [
  { command: 'npm', args: () => ['run', '-s', 'check'], count: null },
  {
    command: 'npx',
    args: (report) => [
      ...['vitest', 'run', '--coverage'],
      ...['--reporter=default', '--reporter=json', `--outputFile.json=${report}`],
    ],
    count: countVitest,
  },
  { command: 'node', args: (report) => ['python/run-tests.ts', report], count: countPlain },
];

const PROOFS = ['unit', 'conformance', 'handlers', 'rules', 'system'].map((suite) => `test/${suite}`);

/**
 * Parsed strictly: a sum with an undefined in it would be neither zero nor above it, and pass. A proof that the
 * threat model names and that did not run counts as failed.
 */
function countVitest(text: string): Count {
  const report: unknown = JSON.parse(text);
  const counts = z.object({ numPassedTests: z.number(), numFailedTests: z.number() });
  const { numPassedTests, numFailedTests } = counts.parse(report);
  return { passed: numPassedTests, failed: numFailedTests + tellMissingProofs(report, PROOFS) };
}

/** A report that is the count itself. */
function countPlain(report: string): Count {
  const count = z.object({ passed: z.number(), failed: z.number() });
  return count.parse(JSON.parse(report));
}

/**
 * A suite that ends badly without a failed test (a file that does not load, a threshold missed, a crash before
 * the report) counts as one failure, so that the sum never looks better than the exit code.
 */
function run({ command, args, count }: Suite, report: string): Count {
  const { status } = spawnSync(command, args(report), { stdio: 'inherit' });
  const written = count !== null && existsSync(report);
  const { passed, failed } = written ? count(readFileSync(report, 'utf8')) : { passed: 0, failed: 0 };
  const broke = status !== 0 || (count !== null && !written);
  return { passed, failed: failed === 0 && broke ? 1 : failed };
}

const folder = mkdtempSync(join(tmpdir(), 'fm-test-'));
const counts = suites.map((suite, index) => run(suite, join(folder, `${index}.json`)));
rmSync(folder, { recursive: true });

const passed = counts.reduce((sum, count) => sum + count.passed, 0);
const failed = counts.reduce((sum, count) => sum + count.failed, 0);
process.stdout.write(`${passed} passed, ${failed} failed\n`);
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
