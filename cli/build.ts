import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build, type Plugin } from 'esbuild';
import { noJsonSchema } from '../infra/aws/trim.ts';
import { unusedSchemas } from '../infra/aws/unused-schemas.ts';
import { families } from './families.ts';
import type { Family } from './program.ts';

/**
 * Builds `fm` into `dist`: one file for each family of commands, with the schemas that it uses and no others, one
 * with them all, and `fm.cjs`, which picks. To make every schema of the API takes longer than to start Node.
 */

const root = join(import.meta.dirname, '..');
const dist = join(root, 'dist');
const ALL = 'all';

/** The parser of command lines starts programs, if told to. Ours is not, and need not load what that takes. */
const noSubprograms: Plugin = {
  name: 'no-subprograms',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^node:child_process$/ }, ({ importer }) =>
      /[\\/]commander[\\/]/.test(importer) ? { path: 'none', namespace: 'no-subprograms' } : undefined,
    );
    onLoad({ filter: /.*/, namespace: 'no-subprograms' }, () => ({ contents: 'module.exports = {}' }));
  },
};

const DESCRIBES = /(?<=\n {4}meta\(\.\.\.args\) \{\n)[^}]*(?=\n {4}\})/;

/** What a schema says of itself is for the OpenAPI document. Each time it is said, a schema is made once more. */
const noDescriptions: Plugin = {
  name: 'no-descriptions',
  setup({ onLoad }) {
    onLoad({ filter: /zod[\\/]v4[\\/]classic[\\/]schemas\.js$/ }, ({ path }) => {
      const source = readFileSync(path, 'utf8');
      if (!DESCRIBES.test(source)) throw new Error('zod says otherwise now how a schema is described');
      return { contents: source.replace(DESCRIBES, 'return this;') };
    });
  },
};

function entryOf(family: Family | typeof ALL): string {
  if (family === ALL)
    return `import { families } from './families.ts';
import { main } from './main.ts';
main(families);`;
  const { file, below, words, add } = family;
  const row = JSON.stringify({ file, below, words }).slice(1, -1);
  return `import { ${add.name} as add } from './commands/${file}.ts';
import { main } from './main.ts';
main([{ ${row}, add }]);`;
}

interface Bundle {
  readonly name: string;
  readonly code: Uint8Array;
  /** The files of ours that it was made of. */
  readonly sources: readonly string[];
}

/** A family without words knows all the others, so it is only among them all. */
const alone = families.filter(({ words }) => words.length > 0);

async function bundle(family: Family | typeof ALL): Promise<Bundle> {
  const name = family === ALL ? ALL : family.file;
  const { outputFiles, metafile } = await build({
    stdin: {
      contents: entryOf(family),
      resolveDir: join(root, 'cli'),
      sourcefile: `entry-${name}.ts`,
      loader: 'ts',
    },
    outfile: join(dist, `${name}.cjs`),
    absWorkingDir: root,
    bundle: true,
    minify: true,
    platform: 'node',
    format: 'cjs',
    target: 'node24',
    external: ['@aws-sdk/*'],
    // As require: to import node:http reads each of its exports, and one of those loads all that fetch needs.
    supported: { 'dynamic-import': false },
    plugins: [unusedSchemas, noSubprograms, noJsonSchema, noDescriptions],
    write: false,
    metafile: true,
    legalComments: 'none',
    logLevel: 'warning',
  });
  const sources = Object.keys(metafile.inputs).filter((file) =>
    /^(cli|client|functions|shared)\/(?!entry-)/.test(file),
  );
  return { name, code: outputFiles[0]?.contents ?? new Uint8Array(), sources };
}

/**
 * Picks the bundle by the first words; any other line gets them all. Exports false when a source is newer.
 * Keeps V8's code of the bundles beside them.
 */
function picker(bundles: readonly Bundle[]): string {
  const files = families.flatMap(({ file, below, words }) =>
    words.map((word) => [below === null ? word : `${below} ${word}`, file]),
  );
  const sources = Object.fromEntries(bundles.map((each) => [each.name, each.sources]));
  return `'use strict';
const { join } = require('node:path');
const { statSync } = require('node:fs');
const files = ${JSON.stringify(Object.fromEntries(files))};
const sources = ${JSON.stringify(sources)};
const [first, second] = process.argv.slice(2);
const words = [first, first + ' ' + second].find((each) => Object.hasOwn(files, each));
const name = words === undefined ? '${ALL}' : files[words];
const { mtimeMs } = statSync(__filename);
const isNewer = (file) => statSync(__dirname + '/../' + file, { throwIfNoEntry: false })?.mtimeMs > mtimeMs;
module.exports = !sources[name].some(isNewer);
if (module.exports) {
  require('node:module').enableCompileCache(join(__dirname, '.code'));
  require('./' + name + '.cjs');
}
`;
}

/** Puts each file in its place whole, for an \`fm\` may be starting meanwhile. The picker comes last. */
function put(path: string, contents: Uint8Array | string): void {
  const beside = `${path}.${process.pid}`;
  writeFileSync(beside, contents);
  renameSync(beside, path);
}

mkdirSync(dist, { recursive: true });
const bundles = await Promise.all([ALL, ...alone].map((each) => bundle(each as Family | typeof ALL)));
for (const { name, code } of bundles) put(join(dist, `${name}.cjs`), code);
put(join(dist, 'fm.cjs'), picker(bundles));
