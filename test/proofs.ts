import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import * as z from 'zod';

const root = join(import.meta.dirname, '..');

/** What docs/THREAT_MODEL.md names as proof: a test's file, and words of its full title. */
export interface Proof {
  readonly file: string;
  readonly title: string;
}

/** The proofs that a page names, as `[name](../test/…) › "words of the title"`. */
export function proofsIn(page: string): Proof[] {
  return [...page.matchAll(/\]\(\.\.\/(test\/[^)\s]+)\) › "([^"]+)"/g)].map(([, file = '', title = '']) => ({
    file,
    title,
  }));
}

const vitestReport = z.object({
  testResults: z.array(
    z.object({
      name: z.string(),
      assertionResults: z.array(z.object({ fullName: z.string(), status: z.string() })),
    }),
  ),
});

/**
 * Which proofs a run of tests did not bring: no test of that file and title passed, or one of them failed.
 * @param report vitest's JSON report, parsed
 */
export function missingProofs(report: unknown, proofs: readonly Proof[]): Proof[] {
  const { testResults } = vitestReport.parse(report);
  const files = new Map(testResults.map((result) => [relative(root, result.name), result.assertionResults]));
  return proofs.filter(({ file, title }) => {
    const named = (files.get(file) ?? []).filter(({ fullName }) => fullName.includes(title));
    return named.length === 0 || named.some(({ status }) => status !== 'passed');
  });
}

/** How many proofs under the given folders are missing from a report, each told on stderr. */
export function tellMissingProofs(report: unknown, folders: readonly string[]): number {
  const page = readFileSync(join(root, 'docs/THREAT_MODEL.md'), 'utf8');
  const ours = proofsIn(page).filter(({ file }) => folders.some((folder) => file.startsWith(`${folder}/`)));
  const missing = missingProofs(report, ours);
  for (const { file, title } of missing) {
    process.stderr.write(
      `docs/THREAT_MODEL.md names a proof that did not run and pass: ${file} › "${title}"\n`,
    );
  }
  return missing.length;
}
