import { spawnSync } from 'node:child_process';
import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { bundleFunction } from '../infra/aws/bundle.ts';
import { deployedFunctions } from '../infra/aws/deployment.ts';
import type { Figures } from './figures.ts';

export const COLD = 'cold start, process start to ready';
export const COLD_OURS = 'resolve function, as deployed';
export const COLD_EMPTY = 'empty function';
const STARTS = 11;

/** What a Lambda's environment must have for the handler to load; nothing is asked of AWS while it does. */
const environment = {
  ...process.env,
  AWS_REGION: 'us-east-1',
  AWS_ACCESS_KEY_ID: 'test',
  AWS_SECRET_ACCESS_KEY: 'test',
  FM_TABLE: 'table',
  FM_DATA_KEY_ID: 'arn:aws:kms:us-east-1:000000000000:key/data',
  FM_SIGNING_KEY_ID: 'arn:aws:kms:us-east-1:000000000000:key/signing',
  FM_RECOVERY_KEY_ID: 'arn:aws:kms:us-east-1:000000000000:key/recovery',
  FM_MAC_KEY_ID: 'arn:aws:kms:us-east-1:000000000000:key/mac',
  FM_CHECKPOINT_BUCKET: 'bucket',
};

/** How long a function's process takes until its handler can be called, beside one that does nothing. */
export async function measureColdStart(figures: Figures, folder: string): Promise<void> {
  const grants = deployedFunctions.get('resolve') ?? [];
  const ours = join((await bundleFunction('resolve', grants, folder)).folder, 'index.js');
  const empty = join(folder, 'empty.js');
  writeFileSync(empty, 'exports.handler = async () => ({});\n');
  figures.add('size of what a cold start loads', COLD_OURS, 'kB', statSync(ours).size / 1000);
  for (let start = 0; start <= STARTS; start += 1) {
    for (const [name, path] of [[COLD_OURS, ours] as const, [COLD_EMPTY, empty] as const]) {
      const { status, stdout } = spawnSync(process.execPath, ['-e', LOADER, path], {
        env: environment,
        encoding: 'utf8',
      });
      if (status !== 0) throw new Error(`${name} did not load`);
      const { ms, cpu } = ready.parse(JSON.parse(stdout));
      // The first of each warms the machine's caches.
      if (start === 0) continue;
      figures.add(COLD, name, 'ms', ms);
      figures.add(COLD, name, 'ms CPU', cpu);
    }
  }
}

/** Tells when the handler was there: milliseconds since the process began, and the CPU of all its threads. */
const LOADER = `require(process.argv[1]);
const { user, system } = process.cpuUsage();
console.log(JSON.stringify({ ms: performance.now(), cpu: (user + system) / 1000 }))`;
const ready = z.object({ ms: z.number(), cpu: z.number() });
