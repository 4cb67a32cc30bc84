import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build, type Metafile } from 'esbuild';
import { afterAll, describe, expect, it } from 'vitest';
import { bundleFunction } from '../../infra/aws/bundle.ts';

const folder = mkdtempSync(join(tmpdir(), 'fm-bundles-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** The embedded host's, to compare. */
async function bundleByDefault(entry: string): Promise<Metafile> {
  const { metafile } = await build({
    entryPoints: [entry],
    bundle: true,
    minify: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    outdir: folder,
    write: false,
    metafile: true,
    logLevel: 'silent',
  });
  return metafile;
}

function bytesOf({ outputs }: Metafile): number {
  return Object.values(outputs).reduce((sum, { bytes }) => sum + bytes, 0);
}

function partsOf({ inputs, outputs }: Metafile): string[] {
  const external = Object.values(outputs).flatMap(({ imports }) => imports.map(({ path }) => path));
  return [...Object.keys(inputs), ...external];
}

describe('the resolve functions, bundled', () => {
  it.each([
    ['resolve', 350_000],
    ['api/resolve-config', 350_000],
  ])('for AWS: %s loads less than %d bytes at a cold start, and no SQLite', async (entry, limit) => {
    const { metafile } = await bundleFunction(entry, ['read', 'write', 'decrypt', 'public-key'], folder);
    expect(partsOf(metafile).filter((part) => /sqlite|shared\/embedded|client-s3/.test(part))).toEqual([]);
    process.stdout.write(`${entry} for AWS: ${Math.round(bytesOf(metafile) / 1000)} kB\n`);
    expect(bytesOf(metafile)).toBeLessThan(limit);
  });

  it('by default hold no AWS SDK', async () => {
    const metafile = await bundleByDefault('functions/api/resolve-config.ts');
    expect(partsOf(metafile).filter((part) => /@aws-sdk|@smithy|shared\/aws/.test(part))).toEqual([]);
  });
});
