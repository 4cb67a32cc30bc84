import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { missingProofs, proofsIn } from '../../proofs.ts';

const root = join(import.meta.dirname, '../../..');

/** A report of one file. */
function reportOf(...results: [fullName: string, status: string][]) {
  const assertionResults = results.map(([fullName, status]) => ({ fullName, status }));
  return { testResults: [{ name: join(root, 'test/a.test.ts'), assertionResults }] };
}

test('a proof is a linked test and words of its title', () => {
  const row = '| x | y | [a.test.ts](../test/a.test.ts) › "every bit", [b](../test/b.ts) › "c" |';
  expect(proofsIn(row)).toEqual([
    { file: 'test/a.test.ts', title: 'every bit' },
    { file: 'test/b.ts', title: 'c' },
  ]);
});

const proof = { file: 'test/a.test.ts', title: 'every bit' };
test.each([
  ['passed', reportOf(['rows: every bit of them', 'passed']), []],
  ['of which one failed', reportOf(['every bit 1', 'passed'], ['every bit 2', 'failed']), [proof]],
  ['skipped', reportOf(['every bit', 'skipped']), [proof]],
  ['with another title', reportOf(['every byte', 'passed']), [proof]],
  ['of another file', { testResults: [] }, [proof]],
])('a proof %s', (_how, report, missing) => {
  expect(missingProofs(report, [proof])).toEqual(missing);
});

test('every row of the threat model has its proof', () => {
  const page = readFileSync(join(root, 'docs/THREAT_MODEL.md'), 'utf8');
  const rows = page.split('\n').filter((line) => /^\| (?!attack|--)/.test(line));
  expect(rows.length).toBeGreaterThan(20);
  for (const row of rows) expect(proofsIn(row).length > 0 || row.includes('`npm run '), row).toBe(true);
});
