import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { arch, cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import * as z from 'zod';
import { type Promised, promises } from './promises.ts';

/**
 * `npm run prove [-- --hours N] [-- --fresh]`: runs what shows each promise, one after the other, and writes
 * `.prove/report.md`. What was shown of this very commit is not shown again: an interrupted campaign goes on
 * where it was. With `--hours`, the seeded ones are repeated under new seeds until the time is over.
 */

const outcome = z.object({
  promise: z.string(),
  held: z.boolean(),
  figures: z.array(z.string()),
  seconds: z.number(),
  at: z.string(),
  rounds: z.int(),
});
type Outcome = z.infer<typeof outcome>;

const root = join(import.meta.dirname, '../..');
const folder = join(root, '.prove');
const { values } = parseArgs({
  options: { hours: { type: 'string' }, fresh: { type: 'boolean', default: false } },
});
const until = values.hours === undefined ? 0 : Date.now() + Number(values.hours) * 3_600_000;
const commit = spawnSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: root }).stdout.toString().trim();
const stateFile = join(folder, `${commit}.json`);

mkdirSync(folder, { recursive: true });
const outcomes = new Map<string, Outcome>(values.fresh ? [] : kept());

function kept(): [string, Outcome][] {
  if (!existsSync(stateFile)) return [];
  const shown = z.array(outcome).parse(JSON.parse(readFileSync(stateFile, 'utf8')));
  return shown.filter(({ held }) => held).map((one) => [one.promise, one]);
}

/** Runs one, tells how it went, and keeps that before the next begins. */
function show(promised: Promised): void {
  const { promise, command, env, figures } = promised;
  process.stdout.write(`… ${promise}\n`);
  const begun = Date.now();
  const [program = '', ...args] = command;
  const options = { cwd: root, env: { ...process.env, NO_COLOR: '1', ...env }, maxBuffer: 1 << 28 };
  const run = spawnSync(program, args, options);
  const text = `${run.stdout}${run.stderr}`;
  const seconds = Math.round((Date.now() - begun) / 1000);
  const before = outcomes.get(promise);
  outcomes.set(promise, {
    promise,
    held: run.status === 0 && (before?.held ?? true),
    figures: text.split('\n').flatMap((line) => figures.exec(line)?.[1] ?? figures.exec(line)?.[0] ?? []),
    seconds: seconds + (before?.seconds ?? 0),
    at: new Date().toISOString(),
    rounds: (before?.rounds ?? 0) + 1,
  });
  if (run.status !== 0) keepLog(promise, run, text);
  process.stdout.write(`  ${run.status === 0 ? 'held' : 'BROKEN'}, ${seconds} s\n`);
  save();
}

function keepLog(promise: string, { status, signal }: SpawnSyncReturns<Buffer>, text: string): void {
  const path = join(folder, `${commit}-${[...outcomes.keys()].indexOf(promise) + 1}.log`);
  writeFileSync(path, text);
  process.stdout.write(`  ended with ${status ?? signal}; see ${path}\n`);
}

function save(): void {
  writeFileSync(stateFile, JSON.stringify([...outcomes.values()], null, 2));
  const rows = [...outcomes.values()].map(
    ({ promise, held, figures, seconds, rounds }) =>
      `| ${promise} | ${held ? 'held' : '**broken**'} | ${figures.map((figure) => figure.trim()).join('<br>')} | ${rounds} | ${seconds} s |`,
  );
  const machine = `${cpus().length} × ${cpus()[0]?.model ?? arch()}, Node ${process.version}, load ${loadavg()[0]?.toFixed(1)}`;
  const head = ['| promise | | figures | rounds | time |', '|---|---|---|---|---|'];
  const title = `# What was shown of ${commit}\n\n${new Date().toISOString()}, ${machine}.`;
  writeFileSync(join(folder, 'report.md'), `${title}\n\n${[...head, ...rows].join('\n')}\n`);
}

for (const promised of promises) if (!outcomes.has(promised.promise)) show(promised);
while (Date.now() < until) for (const promised of promises) if (promised.seeded === true) show(promised);

const broken = [...outcomes.values()].filter(({ held }) => !held).length;
process.stdout.write(`${outcomes.size - broken} held, ${broken} broken: ${join(folder, 'report.md')}\n`);
process.exitCode = broken > 0 ? 1 : 0;
