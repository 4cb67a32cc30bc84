import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundleFunction } from '../../infra/aws/bundle.ts';
import { deployedFunctions } from '../../infra/aws/deployment.ts';
import type { Grant } from '../../infra/aws/grants.ts';

/**
 * `npm run measure:bundles [-- resolve authorize]`: what each function, or these, weighs, and what it costs Node from nothing to its handler, beside a
 * handler that does nothing. In turn, so that a busy machine is busy for all of them.
 */

const ROUNDS = 21;
const asked = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), 'fm-bundles-'));

/** What a function needs to be loaded; nothing is asked. */
const env = {
  AWS_REGION: 'us-east-1',
  FM_TABLE: 't',
  FM_DATA_KEY_ID: 'k',
  FM_SIGNING_KEY_ID: 'k',
  FM_MAC_KEY_ID: 'k',
  FM_RECOVERY_KEY_ID: 'arn:aws:kms:us-east-1:000000000000:key/k',
  FM_CHECKPOINT_BUCKET: 'b',
};

interface Measured {
  readonly name: string;
  readonly file: string;
  readonly kilobytes: number;
  readonly onDemand: number;
  readonly milliseconds: number[];
}

async function bundled(entry: string, grants: readonly Grant[]): Promise<Measured> {
  const made = await bundleFunction(entry, grants, folder);
  const sizes = readdirSync(made.folder).map(
    (name) => [name, statSync(join(made.folder, name)).size] as const,
  );
  const sum = (some: typeof sizes) => Math.round(some.reduce((bytes, [, size]) => bytes + size, 0) / 1000);
  return {
    name: entry,
    file: join(made.folder, 'index.js'),
    kilobytes: sum(sizes.filter(([name]) => name === 'index.js')),
    onDemand: sum(sizes.filter(([name]) => name !== 'index.js')),
    milliseconds: [],
  };
}

function emptyHandler(): Measured {
  const file = join(folder, 'empty.js');
  writeFileSync(file, 'exports.handler=async()=>({});');
  return { name: '(empty)', file, kilobytes: 0, onDemand: 0, milliseconds: [] };
}

/** Milliseconds of processor that a new process takes to load it and end: a busy machine hardly changes them. */
function timeOf({ file }: Measured): number {
  const script = `require(${JSON.stringify(file)});const{user,system}=process.cpuUsage();console.log(user+system)`;
  const { status, stdout, stderr } = spawnSync(process.execPath, ['-e', script], { env, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${file} cannot be loaded: ${stderr}`);
  return Number(stdout) / 1000;
}

const middle = (numbers: readonly number[]) =>
  [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;

try {
  const all = [emptyHandler()];
  for (const [entry, grants] of deployedFunctions)
    if (asked.length === 0 || asked.includes(entry.replace('api/', '')))
      all.push(await bundled(entry, grants));
  for (let round = 0; round < ROUNDS; round++) for (const one of all) one.milliseconds.push(timeOf(one));
  const [empty = 1] = all.map(({ milliseconds }) => middle(milliseconds));
  const lines = all.map(({ name, kilobytes, onDemand, milliseconds }) => {
    const cold = middle(milliseconds);
    return `| ${name.replace('api/', '')} | ${kilobytes} | ${onDemand} | ${cold.toFixed(0)} | ${(cold / empty).toFixed(1)} |`;
  });
  const head =
    '| function | kB at a cold start | kB on demand | CPU ms to the handler | times an empty one |\n|---|---|---|---|---|';
  const load = loadavg().map((one) => one.toFixed(1));
  process.stdout.write(
    `${head}\n${lines.join('\n')}\n\nMedians of ${ROUNDS}, load ${load.join(' ')}, Node ${process.version}\n`,
  );
} finally {
  rmSync(folder, { recursive: true });
}
