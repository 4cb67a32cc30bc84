import { rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type BuildOptions, build, type Metafile, type Plugin } from 'esbuild';
import type { Grant } from './grants.ts';
import { noJsonSchema, trimSdk } from './trim.ts';
import { unusedSchemas } from './unused-schemas.ts';

const root = join(import.meta.dirname, '../..');
const out = join(root, 'dist/functions');

const options = {
  absWorkingDir: root,
  bundle: true,
  minify: true,
  metafile: true,
  platform: 'node',
  target: 'node24',
  // Node loads it faster than modules: npm run measure:bundles.
  format: 'cjs',
  // esbuild leaves `module` out when it is given conditions, and then the SDK comes as CommonJS, twice as large.
  conditions: ['aws', 'module'],
  mainFields: ['module', 'main'],
  alias: { '@aws-sdk/credential-provider-node': join(import.meta.dirname, 'lambda-credentials.ts') },
  logLevel: 'error',
} as const satisfies BuildOptions;

/** A function's bundle. */
export interface Bundle {
  readonly folder: string;
  /** What is loaded at a cold start. */
  readonly metafile: Metafile;
}

/** Modules that are imported on demand, for functions with a grant alone: others must not load what they may not use. */
const onlyWith: Readonly<Record<string, Grant>> = {
  'checkpoint-bucket': 'read-checkpoints',
  notifier: 'notify',
  measures: 'append-audit',
};
/** Gives out the API's document, which is made of schemas. */
const WRITES_SCHEMAS = 'api/openapi';
/** Imported on demand by all of them, and without any class that both sides must know: a file beside. */
const BESIDE = 'log';

/**
 * Bundles functions for Lambda, each into a folder of its own.
 * @param functions files below `functions/`, without `.ts`, and what they may
 * @returns the folder of each
 */
export async function bundleFunctions(
  functions: ReadonlyMap<string, readonly Grant[]>,
): Promise<ReadonlyMap<string, string>> {
  rmSync(out, { recursive: true, force: true });
  const bundles = [...functions].map(
    async ([entry, grants]) => [entry, (await bundleFunction(entry, grants)).folder] as const,
  );
  return new Map(await Promise.all(bundles));
}

/** @param entry a file below `functions/`, without `.ts` */
export async function bundleFunction(entry: string, grants: readonly Grant[], within = out): Promise<Bundle> {
  const folder = join(within, entry);
  const { metafile } = await build({
    ...options,
    entryPoints: { index: join(root, 'functions', `${entry}.ts`) },
    outdir: folder,
    plugins: [leaveOut(grants), trimSdk, unusedSchemas, ...(entry === WRITES_SCHEMAS ? [] : [noJsonSchema])],
  });
  await build({ ...options, entryPoints: [join(root, 'shared/aws', `${BESIDE}.ts`)], outdir: folder });
  return { folder, metafile };
}

/** Leaves out modules that are imported on demand and that this function may not need. */
function leaveOut(grants: readonly Grant[]): Plugin {
  return {
    name: 'leave-out',
    setup({ onResolve }) {
      onResolve({ filter: /^\.\/.*\.ts$/ }, ({ kind, path }) => {
        if (kind !== 'dynamic-import') return undefined;
        const name = basename(path, '.ts');
        const grant = onlyWith[name];
        const isNeeded = name !== BESIDE && (grant === undefined || grants.includes(grant));
        return isNeeded ? undefined : { path: `./${name}.js`, external: true };
      });
    },
  };
}
