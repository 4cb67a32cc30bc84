import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { environmentOf } from './server.ts';

const run = promisify(execFile);

/** A project of its own that has the packed client and nothing else. Dispose of it. */
export interface ClientProject extends Disposable {
  readonly folder: string;
  /** Type-checks a module by the strictest settings. @returns what the compiler says, nothing when all is well */
  check(source: string): Promise<string>;
  /** Runs the module that was checked. @returns what it printed. @throws when it fails */
  run(settings?: Readonly<Record<string, string>>, args?: readonly string[]): Promise<string>;
}

/** Packs the client, as for publishing it, and installs the tarball offline. */
export async function newClientProject(): Promise<ClientProject> {
  const home = mkdtempSync(join(tmpdir(), 'fm-package-'));
  const folder = join(home, 'project');
  mkdirSync(folder);
  writeFileSync(join(folder, 'package.json'), '{"name":"consumer","private":true,"type":"module"}');
  // Its prepack script builds.
  await run('npm', ['pack', '--pack-destination', home], { cwd: 'client' });
  const tarball = readdirSync(home).filter((name) => name.endsWith('.tgz'));
  const quiet = ['--offline', '--no-audit', '--no-fund'];
  await run('npm', ['install', ...quiet, ...tarball.map((name) => join(home, name))], { cwd: folder });
  return {
    folder,
    check: (source) => typeCheck(folder, source),
    run: async (settings = {}, args = []) => {
      const env = environmentOf(settings);
      const child = run(process.execPath, ['main.ts', ...args], { cwd: folder, env });
      child.child.stdin?.end();
      return (await child).stdout;
    },
    [Symbol.dispose]: () => rmSync(home, { recursive: true }),
  };
}

async function typeCheck(folder: string, source: string): Promise<string> {
  const types = resolve('node_modules/@types');
  const compilerOptions = {
    ...{ strict: true, noEmit: true, skipLibCheck: false, exactOptionalPropertyTypes: true },
    ...{ noUncheckedIndexedAccess: true, noPropertyAccessFromIndexSignature: true },
    ...{ module: 'nodenext', target: 'es2022', types: ['node'], typeRoots: [types] },
  };
  writeFileSync(join(folder, 'main.ts'), source);
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['main.ts'] }));
  const tsc = resolve('node_modules/typescript/bin/tsc');
  const said = await run(process.execPath, [tsc, '-p', folder]).catch((failed: { stdout: string }) => failed);
  return said.stdout;
}
