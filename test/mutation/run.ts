import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * `npm run mutate`: changes what keeps secrets apart, one small way after the other, and sees whether a test notices.
 * Stryker is installed in .tools, whose report and memory of the last run it keeps; the run fails under 90 %.
 * Arguments go to Stryker, for example `-- --mutate shared/access/roles.ts`.
 */

const root = join(import.meta.dirname, '../..');
const tools = join(root, '.tools/mutation');
const version = '9.6.1';

if (!existsSync(join(tools, 'node_modules/@stryker-mutator/core'))) {
  mkdirSync(tools, { recursive: true });
  writeFileSync(join(tools, 'package.json'), '{"private":true}');
  // Not its peers: vitest is found further up, and is the one that the tests are run by.
  const quiet = ['--no-audit', '--no-fund', '--ignore-scripts', '--legacy-peer-deps'];
  const packages = [`@stryker-mutator/core@${version}`, `@stryker-mutator/vitest-runner@${version}`];
  execFileSync('npm', ['install', ...quiet, ...packages], { cwd: tools, stdio: 'inherit' });
}
const stryker = join(tools, 'node_modules/@stryker-mutator/core/bin/stryker.js');
const args = [stryker, 'run', 'test/mutation/stryker.config.json', ...process.argv.slice(2)];
process.exitCode = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' }).status ?? 1;
