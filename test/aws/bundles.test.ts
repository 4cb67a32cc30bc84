import { join } from 'node:path';
import { build, type Metafile } from 'esbuild';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');
const RESOLVE = 'functions/api/resolve-config.ts';

/** What a Lambda of one function holds: its entry, and chunks for what is imported on demand. */
async function bundle(entryPoint: string, conditions: readonly string[]): Promise<Metafile> {
  const { metafile } = await build({
    entryPoints: [entryPoint],
    // esbuild leaves `module` out when it is given conditions, and then the SDK comes as CommonJS, twice as large.
    conditions: [...conditions, 'module'],
    absWorkingDir: root,
    outdir: 'dist',
    bundle: true,
    splitting: true,
    minify: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    mainFields: ['module', 'main'],
    write: false,
    metafile: true,
    logLevel: 'silent',
  });
  return metafile;
}

/** Bytes that are loaded at a cold start: the entry and what it imports at once. */
function coldBytes({ outputs }: Metafile, entryPoint: string): number {
  const waiting = Object.keys(outputs).filter((path) => outputs[path]?.entryPoint === entryPoint);
  const seen = new Set<string>();
  let bytes = 0;
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    const output = outputs[path];
    if (output === undefined || seen.has(path)) continue;
    seen.add(path);
    bytes += output.bytes;
    for (const { path: next, kind } of output.imports) if (kind === 'import-statement') waiting.push(next);
  }
  return bytes;
}

function partsOf({ inputs, outputs }: Metafile): string[] {
  const external = Object.values(outputs).flatMap(({ imports }) => imports.map(({ path }) => path));
  return [...Object.keys(inputs), ...external];
}

describe('the resolve function, bundled', () => {
  it('for AWS holds no SQLite, and loads less than 450 kB at a cold start', async () => {
    const metafile = await bundle(RESOLVE, ['aws']);
    expect(partsOf(metafile).filter((part) => /sqlite|shared\/embedded/.test(part))).toEqual([]);
    const bytes = coldBytes(metafile, RESOLVE);
    process.stdout.write(`${RESOLVE} for AWS: ${Math.round(bytes / 1000)} kB\n`);
    expect(bytes).toBeLessThan(450_000);
  });

  it('by default holds no AWS SDK', async () => {
    const metafile = await bundle(RESOLVE, []);
    expect(partsOf(metafile).filter((part) => /@aws-sdk|@smithy|shared\/aws/.test(part))).toEqual([]);
    const bytes = coldBytes(metafile, RESOLVE);
    process.stdout.write(`${RESOLVE} by default: ${Math.round(bytes / 1000)} kB\n`);
  });
});
