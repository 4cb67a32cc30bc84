import { appendFileSync } from 'node:fs';
import { afterAll } from 'vitest';

/** What a test file counted, by what it is. */
const counts = new Map<string, number>();

/** Counts what a promise's report tells of: how often something was tried, in words that follow a number. */
export function tally(what: string, times = 1): void {
  counts.set(what, (counts.get(what) ?? 0) + times);
}

// `npm run prove` names the file; a run of the tests alone keeps nothing.
afterAll(() => {
  const file = process.env['FM_TALLY'];
  if (file === undefined) return;
  for (const [what, times] of counts)
    appendFileSync(file, `${JSON.stringify({ what, times: Math.round(times) })}\n`);
});
