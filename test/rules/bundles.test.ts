import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { describe, expect, it, vi } from 'vitest';

// All functions at once, which takes a busy machine its time.
vi.setConfig({ testTimeout: 60_000 });

const root = join(import.meta.dirname, '../..');
const entryPoints = readdirSync(join(root, 'functions'), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && file !== 'routes.ts')
  .map((file) => join(root, 'functions', file));

/** Every file and package in the bundles of all functions under this build condition. */
async function contents(conditions: readonly string[]): Promise<readonly string[]> {
  const { metafile } = await build({
    entryPoints,
    conditions: [...conditions],
    absWorkingDir: root,
    outdir: 'dist',
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    write: false,
    metafile: true,
    logLevel: 'silent',
  });
  const packages = Object.values(metafile.outputs).flatMap((output) =>
    output.imports.map(({ path }) => path),
  );
  return [...new Set([...Object.keys(metafile.inputs), ...packages])];
}

const has = (parts: readonly string[], start: string) => parts.filter((part) => part.startsWith(start));

describe('the functions, bundled', () => {
  it('by default hold the embedded host and no AWS', async () => {
    const parts = await contents([]);
    expect(has(parts, 'shared/embedded/')).not.toEqual([]);
    expect(has(parts, 'shared/aws/')).toEqual([]);
    expect(has(parts, '@aws-sdk/')).toEqual([]);
  });

  it('for AWS hold no embedded host', async () => {
    const parts = await contents(['aws']);
    expect(has(parts, 'shared/aws/')).not.toEqual([]);
    expect(has(parts, 'shared/embedded/')).toEqual([]);
    expect(has(parts, 'node:sqlite')).toEqual([]);
  });
});
