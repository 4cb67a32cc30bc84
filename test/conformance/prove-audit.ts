import { loadavg } from 'node:os';
import { runHistories } from './audit-histories.ts';
import { makeEmbedded } from './embedded-host.ts';

/** `npm run prove:audit [-- COUNT [SEED]]`: ten thousand histories with faults on the embedded stores, see audit-histories.ts. */
const [count = 10_000, seed = 1] = process.argv.slice(2).map(Number);
const begun = performance.now();
let isOn = true;
// What was found so far is worth something too.
process.once('SIGTERM', () => {
  isOn = false;
});
const { histories, injected, problems } = await runHistories(makeEmbedded, seed, count, (done, found) => {
  if (done % 500 === 0) process.stderr.write(`${done} histories, ${found.length} problems\n`);
  return isOn;
});
const faults = [...injected.values()].reduce((sum, times) => sum + times, 0);
for (const [call, times] of [...injected].sort())
  process.stdout.write(`  ${String(times).padStart(6)} ${call}\n`);
for (const problem of problems.slice(0, 20)) process.stdout.write(`${problem}\n`);
const seconds = ((performance.now() - begun) / 1000).toFixed(0);
process.stdout.write(
  `${histories} histories from seed ${seed}, ${faults} faults at ${injected.size} kinds of calls: ${problems.length} problems; ${seconds} s at load ${loadavg()[0]?.toFixed(1)}\n`,
);
process.exitCode = problems.length === 0 ? 0 : 1;
