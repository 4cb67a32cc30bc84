import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { runAtheris } from './atheris.ts';
import { runSchemathesis } from './schemathesis.ts';

/**
 * `npm run fuzz [-- --minutes N] [-- TARGET…]`: coverage-guided fuzzing of what reads hostile input, one target after
 * the other, each for its part of the time. What finds new code is kept in .tools/fuzz, beside the corpus in
 * test/fuzz/corpus; an input that breaks something is named, and the run fails.
 */

const root = join(import.meta.dirname, '../..');
const tools = join(root, '.tools/fuzz');
const targets = ['references', 'redactor', 'envelope', 'api-key'];

/** jsfuzz has no end of its own: it is stopped when its time is over. */
async function fuzzBundle(target: string, seconds: number): Promise<boolean> {
  const bundle = `${target}.cjs`;
  await build({
    ...{ entryPoints: [join(import.meta.dirname, `${target}.ts`)], outfile: join(tools, bundle) },
    ...{ bundle: true, platform: 'node', format: 'cjs', target: 'node24', logLevel: 'error' },
  });
  const corpus = join(tools, 'corpus', target);
  mkdirSync(corpus, { recursive: true });
  cpSync(join(import.meta.dirname, 'corpus', target), corpus, { recursive: true });
  const jsfuzz = join(tools, 'node_modules/jsfuzz/build/src/index.js');
  const found = join(tools, `found-${target}`);
  rmSync(found, { force: true });
  const child = spawn(
    process.execPath,
    [jsfuzz, bundle, `corpus/${target}`, `--exact-artifact-path=${found}`],
    {
      cwd: tools,
      stdio: ['ignore', 'pipe', 'inherit'],
      detached: true, // a group of its own, since it has a worker
    },
  );
  const said = await until(child, seconds);
  if (existsSync(found)) {
    const input = readFileSync(found);
    process.stdout.write(
      `${said.slice(-2000)}\n${target}: broken by ${JSON.stringify(input.toString('latin1'))}\n`,
    );
    return false;
  }
  const last = said.match(/#\d+ .*/g)?.at(-1);
  process.stdout.write(`${target}: ${last ?? said}\n`);
  return last !== undefined;
}

/** What it said until its time was over, or it ended by itself. */
function until(child: ChildProcess, seconds: number): Promise<string> {
  let said = '';
  child.stdout?.on('data', (chunk) => {
    said += chunk;
  });
  const stop = setTimeout(
    () => child.pid !== undefined && process.kill(-child.pid, 'SIGKILL'),
    seconds * 1000,
  );
  return new Promise((resolve) => {
    child.once('close', () => {
      clearTimeout(stop);
      resolve(said);
    });
  });
}

function install(): void {
  mkdirSync(tools, { recursive: true });
  if (existsSync(join(tools, 'node_modules/jsfuzz'))) return;
  writeFileSync(join(tools, 'package.json'), '{"private":true}');
  const quiet = ['--no-audit', '--no-fund', '--ignore-scripts'];
  execFileSync('npm', ['install', ...quiet, 'jsfuzz@1.0.15'], { cwd: tools, stdio: 'inherit' });
}

const { values, positionals } = parseArgs({
  options: { minutes: { type: 'string', default: '6' } },
  allowPositionals: true,
});
const chosen = positionals.length > 0 ? positionals : [...targets, 'python', 'http'];
const seconds = (Number(values.minutes) * 60) / chosen.length;
install();
let failed = 0;
for (const target of chosen) {
  let passed: boolean;
  if (target === 'python') passed = await runAtheris(tools, seconds);
  else if (target === 'http') passed = await runSchemathesis(join(root, '.tools'), seconds);
  else passed = await fuzzBundle(target, seconds);
  if (!passed) failed += 1;
}
process.stdout.write(`${chosen.length - failed} of ${chosen.length} targets held; inputs kept: `);
process.stdout.write(`${targets.map((name) => `${name} ${kept(name)}`).join(', ')}\n`);
process.exitCode = failed > 0 ? 1 : 0;

function kept(target: string): number {
  const folder = join(tools, 'corpus', target);
  return existsSync(folder) ? readdirSync(folder).length : 0;
}
