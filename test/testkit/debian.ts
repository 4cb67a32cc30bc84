import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/**
 * Where a program is that npm cannot bring: on PATH or in one of the folders, else installed from Debian.
 * @param program for example `chromium`
 * @param packages the Debian packages that bring it
 * @param folders further folders to look in, before and after installing
 * @throws Error that says what to install, when it is missing and this process may not install
 */
export function debianProgram(
  program: string,
  packages: readonly string[],
  folders: readonly string[] = [],
): string {
  const found = findProgram(program, folders);
  if (found !== null) return found;
  const missing = `${program} is missing. Install it: apt-get install ${packages.join(' ')}`;
  if (process.getuid?.() !== 0) throw new Error(missing);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const install = ['install', '-y', '-q', '--no-install-recommends', ...packages];
  for (const args of [['update', '-q'], install]) {
    const { status } = spawnSync('apt-get', args, { stdio: ['ignore', 'inherit', 'inherit'], env });
    if (status !== 0) throw new Error(missing);
  }
  const installed = findProgram(program, folders);
  if (installed === null) throw new Error(missing);
  return installed;
}

function findProgram(program: string, folders: readonly string[]): string | null {
  const paths = [...(process.env['PATH'] ?? '').split(delimiter), ...folders];
  return paths.map((folder) => join(folder, program)).find((path) => existsSync(path)) ?? null;
}
