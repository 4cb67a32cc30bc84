import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, release, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { debianProgram } from '../test/testkit/debian.ts';
import { measureAws, type Price } from './aws.ts';
import { chartOf } from './chart.ts';
import { measureColdStart } from './cold.ts';
import { Figures } from './figures.ts';
import { measureEnvelope, measureFloor } from './floor.ts';
import { goalsOf } from './goals.ts';
import { measureAuditGrowth, measureSecretGrowth } from './growth.ts';
import { vaultOnPath } from './openbao.ts';
import { loadAverage } from './process.ts';
import { resultsText } from './report.ts';
import { CONFIG, measureServing, measureStudio, oneReference, writeOf } from './serving.ts';

/**
 * `npm run bench`: measures ours beside what a user would pick instead, and writes RESULTS.md and results.svg.
 * `npm run bench -- serving floor` measures parts, and prints them only.
 */
const parts = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), 'fm-bench-'));
const figures = new Figures();
const missing: string[] = [];
let prices: readonly Price[] = [];

/** A part that fails is told as missing; the others stand. */
async function part(name: string, measure: () => Promise<void>): Promise<void> {
  if (parts.length > 0 && !parts.includes(name)) return;
  const started = performance.now();
  process.stderr.write(`${name}, load average ${loadAverage()}\n`);
  try {
    await measure();
  } catch (error) {
    missing.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
  }
  process.stderr.write(`${name} took ${Math.round((performance.now() - started) / 1000)} s\n`);
}

function moment() {
  return { at: `${new Date().toISOString().slice(0, 16).replace('T', ' ')} UTC`, load: loadAverage() };
}

function firstLine(command: string, args: readonly string[]): string {
  const { stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  return (stdout || stderr).split('\n')[0]?.trim() ?? '';
}

const wrk = debianProgram('wrk', ['wrk']);
const vault = vaultOnPath();
if (vault === null) missing.push('OpenBao and Vault: neither `bao` nor `vault` is on PATH');
const installed = spawnSync('npm', ['ci', '--ignore-scripts', '--prefix', import.meta.dirname], {
  stdio: 'ignore',
});
if (installed.status !== 0) missing.push('the AWS Encryption SDK could not be installed');

const began = moment();
try {
  await part('floor', () => measureFloor(figures, folder));
  await part('envelope', () => measureEnvelope(figures));
  await part('serving', () => measureServing(figures, folder));
  await part('studio', () => measureStudio(figures));
  await part('cold', () => measureColdStart(figures, folder));
  await part('aws', async () => {
    prices = await measureAws(figures, folder);
  });
  await part('growth', () => measureSecretGrowth(figures, folder));
  await part('audit', () => measureAuditGrowth(figures, folder));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
const [cpu] = cpus();
const text = resultsText(figures, prices, goalsOf(figures, prices), {
  machine: `${cpus().length} × ${cpu?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GB, Linux ${release()}`,
  versions: [`Node ${process.versions.node}`, vault?.version ?? 'no OpenBao', firstLine(wrk, ['-v'])],
  began,
  ended: moment(),
  missing,
});
const chart = chartOf(figures, [
  { title: 'A config of 50 references: milliseconds (less is better)', work: CONFIG, unit: 'ms' },
  { title: 'One reference, 64 connections: requests a second', work: oneReference(64), unit: 'a second' },
  {
    title: 'One reference, 1 connection: p50 in milliseconds (less is better)',
    work: oneReference(1),
    unit: 'p50 ms',
  },
  { title: 'Durable writes, 64 connections: a second', work: writeOf(64), unit: 'a second' },
]);
if (parts.length > 0) process.stdout.write(text);
else {
  writeFileSync(join(import.meta.dirname, 'RESULTS.md'), text);
  writeFileSync(join(import.meta.dirname, 'results.svg'), chart);
}
