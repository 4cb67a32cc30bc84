import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { arch, cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import * as z from 'zod';
import { type Promised, promises } from './promises.ts';

/**
 * `npm run prove [-- --hours N] [-- --fresh] [-- --only WORDS] [-- --seed N]`: runs what shows each promise, one after
 * the other, and writes `.prove/report.md`. What was shown of this very commit is not shown again: an interrupted
 * campaign goes on where it was. With `--hours` each does more, and the seeded ones are repeated under new seeds
 * until the time is over. `--only` takes those whose words it names. `--load` is another run: see load.ts.
 */

const outcome = z.object({
  promise: z.string(),
  held: z.boolean(),
  figures: z.array(z.string()),
  seconds: z.number(),
  load: z.number(),
  at: z.string(),
  rounds: z.int(),
});
type Outcome = z.infer<typeof outcome>;

const root = join(import.meta.dirname, '../..');
const folder = join(root, '.prove');
const { values } = parseArgs({
  options: {
    hours: { type: 'string' },
    fresh: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    seed: { type: 'string', default: String(randomInt(1_000_000_000)) },
    load: { type: 'boolean', default: false },
    minutes: { type: 'string' },
  },
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
  const { promise, figures } = promised;
  const { command, env } = callOf(promised);
  process.stdout.write(`… ${promise}\n`);
  const begun = Date.now();
  const [program = '', ...args] = command;
  const tallies = join(tmpdir(), `fm-tally-${process.pid}.jsonl`);
  const told = { NO_COLOR: '1', FM_TALLY: tallies, FM_TEST_SEED: String(seed), ...env };
  const run = spawnSync(program, args, { cwd: root, env: { ...process.env, ...told }, maxBuffer: 1 << 28 });
  const text = `${run.stdout}${run.stderr}`;
  const seconds = Math.round((Date.now() - begun) / 1000);
  const before = outcomes.get(promise);
  outcomes.set(promise, {
    promise,
    held: run.status === 0 && (before?.held ?? true),
    figures: [...tallied(tallies), ...figuresIn(text, figures)],
    load: Number(loadavg()[0]?.toFixed(1)),
    seconds: seconds + (before?.seconds ?? 0),
    at: new Date().toISOString(),
    rounds: (before?.rounds ?? 0) + 1,
  });
  if (run.status !== 0) keepLog(promise, run, text);
  process.stdout.write(`  ${run.status === 0 ? 'held' : 'BROKEN'}, ${seconds} s\n`);
  save();
}

/** What to run: more with `--hours`, and always under this round's seed. */
function callOf({ command, longCommand, env, longEnv }: Promised) {
  const chosen = (values.hours === undefined ? undefined : longCommand) ?? command;
  return {
    command: chosen.map((word) => (word === '{seed}' ? String(seed) : word)),
    env: { ...env, ...(values.hours === undefined ? {} : longEnv) },
  };
}

function figuresIn(text: string, figures: RegExp): string[] {
  const lines = text.split('\n');
  return lines.flatMap((line) => figures.exec(line)?.[1] ?? figures.exec(line)?.[0] ?? []);
}

const tallyLine = z.object({ what: z.string(), times: z.number() });

/** What the tests of a run counted, see test/testkit/tally.ts. */
function tallied(file: string): string[] {
  if (!existsSync(file)) return [];
  const counts = new Map<string, number>();
  for (const line of readFileSync(file, 'utf8').trim().split('\n')) {
    const { what, times } = tallyLine.parse(JSON.parse(line));
    counts.set(what, (counts.get(what) ?? 0) + times);
  }
  rmSync(file);
  return [...counts].map(([what, times]) => `${times.toLocaleString('en')} ${what}`);
}

function keepLog(promise: string, { status, signal }: SpawnSyncReturns<Buffer>, text: string): void {
  const path = join(folder, `${commit}-${[...outcomes.keys()].indexOf(promise) + 1}.log`);
  writeFileSync(path, text);
  process.stdout.write(`  ended with ${status ?? signal}; see ${path}\n`);
}

function save(): void {
  writeFileSync(stateFile, JSON.stringify([...outcomes.values()], null, 2));
  const rows = [...outcomes.values()].map(
    ({ promise, held, figures, seconds, rounds, load }) =>
      `| ${promise} | ${held ? 'held' : '**broken**'} | ${figures.map((figure) => figure.trim().replaceAll('|', '·')).join('<br>')} | ${rounds} | ${seconds} s | ${load} |`,
  );
  const machine = `${cpus().length} × ${cpus()[0]?.model ?? arch()}, Node ${process.version}, load ${loadavg()[0]?.toFixed(1)}`;
  const head = ['| promise | | figures | rounds | time | load |', '|---|---|---|---|---|---|'];
  const title = `# What was shown of ${commit}\n\n${new Date().toISOString()}, ${machine}.`;
  writeFileSync(join(folder, 'report.md'), `${title}\n\n${[...head, ...rows].join('\n')}\n`);
}

if (values.load) {
  const minutes = values.minutes === undefined ? [] : ['--minutes', values.minutes];
  const load = [join(import.meta.dirname, 'load.ts'), '--load', ...minutes];
  process.exit(spawnSync(process.execPath, load, { cwd: root, stdio: 'inherit' }).status ?? 1);
}
const chosen = promises
  .filter(({ promise }) => promise.toLowerCase().includes(values.only.toLowerCase()))
  .filter(({ long }) => long !== true || values.hours !== undefined);
let seed = Number(values.seed);
process.stdout.write(`seed ${seed}\n`);
for (const promised of chosen) if (!outcomes.has(promised.promise)) show(promised);
for (const again = chosen.filter(({ seeded }) => seeded === true); Date.now() < until; seed += 1)
  again.forEach(show);

const broken = [...outcomes.values()].filter(({ held }) => !held).length;
process.stdout.write(`${outcomes.size - broken} held, ${broken} broken: ${join(folder, 'report.md')}\n`);
process.exitCode = broken > 0 ? 1 : 0;
