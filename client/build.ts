import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';

/**
 * Builds the package: .js and .d.ts into `dist`, here or in the folder given, which then holds all that is
 * published.
 */
const here = import.meta.dirname;
const target = resolve(process.argv[2] ?? here);
const tsc = join(here, '../node_modules/typescript/bin/tsc');

rmSync(join(target, 'dist'), { recursive: true, force: true });
mkdirSync(target, { recursive: true });
if (target !== here) {
  for (const file of ['package.json', 'README.md', 'LICENSE']) cpSync(join(here, file), join(target, file));
}
const { status } = spawnSync(process.execPath, [tsc, '-p', here, '--outDir', join(target, 'dist')], {
  stdio: 'inherit',
});
process.exitCode = status ?? 1;
