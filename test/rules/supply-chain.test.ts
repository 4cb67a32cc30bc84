import { hash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import * as z from 'zod';
import { bundleFunctions } from '../../infra/aws/bundle.ts';

const root = join(import.meta.dirname, '../..');
const readJson = (file: string): unknown => JSON.parse(readFileSync(join(root, file), 'utf8'));

const locked = z.object({
  version: z.string().optional(),
  license: z.string().optional(),
  dev: z.boolean().optional(),
  hasInstallScript: z.boolean().optional(),
  integrity: z.string().optional(),
  link: z.boolean().optional(),
  /** Comes within another package, whose hash covers it. */
  inBundle: z.boolean().optional(),
});
const { packages } = z
  .object({ packages: z.record(z.string(), locked) })
  .parse(readJson('package-lock.json'));
const installed = Object.entries(packages)
  .filter(([path, { link }]) => path.includes('node_modules/') && link !== true)
  .map(([path, found]) => ({ ...found, path, name: path.split('node_modules/').at(-1) ?? '' }));

// What comes with the service asks for a notice at most; development tools may ask for their own source.
const SHIPPED = ['MIT', 'Apache-2.0', 'ISC', '0BSD', 'BSD-2-Clause', 'BSD-3-Clause', 'MIT-0'];
const TOOLS = [...SHIPPED, 'MIT OR Apache-2.0', '(MIT OR GPL-3.0-or-later)', 'BlueOak-1.0.0', 'MPL-2.0'];

test('every package has a licence that this project may use', () => {
  const refused = installed.filter(({ license = 'none', dev }) => !(dev ? TOOLS : SHIPPED).includes(license));
  expect(refused.map(({ name, license }) => `${name}: ${license}`)).toEqual([]);
});

test('every package is locked to its content', () => {
  const loose = installed.filter(
    ({ integrity = '', inBundle }) => inBundle !== true && !/^sha512-/.test(integrity),
  );
  expect(loose.map(({ name }) => name)).toEqual([]);
});

test('only packages that are named may run a script when they are installed', () => {
  const { allowScripts } = z
    .object({ allowScripts: z.record(z.string(), z.boolean()) })
    .parse(readJson('package.json'));
  const scripted = installed.filter(({ hasInstallScript }) => hasInstallScript === true);
  expect(scripted.map(({ name }) => name).filter((name) => allowScripts[name] === undefined)).toEqual([]);
});

test('dependencies are exact versions, or folders of this project', () => {
  const manifest = z.object({
    dependencies: z.record(z.string(), z.string()),
    devDependencies: z.record(z.string(), z.string()),
  });
  const { dependencies, devDependencies } = manifest.parse(readJson('package.json'));
  const ranges = Object.entries({ ...dependencies, ...devDependencies }).filter(
    ([, version]) => !/^(?:\d+\.\d+\.\d+|file:[a-z/]+)$/.test(version),
  );
  expect(ranges).toEqual([]);
});

test('the same source makes the same bundles, byte by byte', { timeout: 60_000 }, async () => {
  const functions = new Map([
    ['resolve', ['decrypt']],
    ['api/create-secret', ['generate-data-key']],
  ] as const);
  const bundled = async () => {
    const folders = await bundleFunctions(functions);
    return [...folders].flatMap(([entry, folder]) =>
      readdirSync(folder)
        .sort()
        .map((file) => [entry, file, hash('sha256', readFileSync(join(folder, file)))]),
    );
  };
  const first = await bundled();
  expect(first.length).toBeGreaterThanOrEqual(functions.size);
  expect(await bundled()).toEqual(first);
});
