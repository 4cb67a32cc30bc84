import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';

const root = join(import.meta.dirname, '../..');
const out = join(root, 'dist/functions');

/**
 * Bundles functions for Lambda, each into a folder of its own: `index.mjs`, and chunks for what it imports on
 * demand, which S3's client and most ways to find credentials are.
 * @param entries files below `functions/`, without `.ts`
 * @returns the folder of each
 */
export async function bundleFunctions(entries: readonly string[]): Promise<ReadonlyMap<string, string>> {
  rmSync(out, { recursive: true, force: true });
  const folders = new Map(entries.map((entry) => [entry, join(out, entry)]));
  await Promise.all(
    [...folders].map(([entry, outdir]) => bundle(join(root, 'functions', `${entry}.ts`), outdir)),
  );
  return folders;
}

async function bundle(entryPoint: string, outdir: string): Promise<void> {
  await build({
    entryPoints: { index: entryPoint },
    // esbuild leaves `module` out when it is given conditions, and then the SDK comes as CommonJS, twice as large.
    conditions: ['aws', 'module'],
    outdir,
    outExtension: { '.js': '.mjs' },
    absWorkingDir: root,
    bundle: true,
    splitting: true,
    minify: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    mainFields: ['module', 'main'],
    banner: {
      js: 'import{createRequire as __fmCreateRequire}from"node:module";const require=__fmCreateRequire(import.meta.url);',
    },
    logLevel: 'error',
  });
}
