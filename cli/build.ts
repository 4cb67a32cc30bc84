import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build, type OutputFile, type Plugin } from 'esbuild';
import { parseSync } from 'oxc-parser';
import { families } from './families.ts';
import type { Family } from './program.ts';

/**
 * Builds `fm` into `dist`: one file for each family of commands, with the schemas that it uses and no others, one
 * with them all, and `fm.cjs`, which picks. To make every schema of the API takes longer than to start Node.
 */

const root = join(import.meta.dirname, '..');
const dist = join(root, 'dist');
const ALL = 'all';

/** Marks what a module declares as free of effects, so that the schemas that nobody uses are left out. */
const unusedSchemas: Plugin = {
  name: 'unused-schemas',
  setup({ onLoad }) {
    onLoad({ filter: /[\\/](shared[\\/]contract|functions)[\\/][^\\/]+\.ts$/ }, async ({ path }) => {
      return { contents: withPureDeclarations(path, await readFile(path, 'utf8')), loader: 'ts' };
    });
  },
};

function withPureDeclarations(path: string, source: string): string {
  let pure = '';
  let done = 0;
  for (const statement of parseSync(path, source).program.body) {
    const declared = statement.type === 'ExportNamedDeclaration' ? statement.declaration : statement;
    if (declared?.type !== 'VariableDeclaration') continue;
    for (const { init } of declared.declarations) {
      if (init === null) continue;
      pure += `${source.slice(done, init.start)}/* @__PURE__ */ (() => (${source.slice(init.start, init.end)}))()`;
      done = init.end;
    }
  }
  return pure + source.slice(done);
}

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

async function bundle(family: Family | typeof ALL): Promise<OutputFile[]> {
  const name = family === ALL ? ALL : family.file;
  const { outputFiles } = await build({
    stdin: {
      contents: entryOf(family),
      resolveDir: join(root, 'cli'),
      sourcefile: `entry-${name}.ts`,
      loader: 'ts',
    },
    outfile: join(dist, `${name}.cjs`),
    bundle: true,
    minify: true,
    platform: 'node',
    format: 'cjs',
    target: 'node24',
    external: ['@aws-sdk/*'],
    plugins: [unusedSchemas, noSubprograms],
    write: false,
    legalComments: 'none',
    logLevel: 'warning',
  });
  return outputFiles;
}

/** Keeps V8's code of the bundles beside them; picks the bundle by the first words, any other line gets them all. */
function picker(): string {
  const files = families.flatMap(({ file, below, words }) =>
    words.map((word) => [below === null ? word : `${below} ${word}`, file]),
  );
  return `'use strict';
require('node:module').enableCompileCache(require('node:path').join(__dirname, '.code'));
const files = ${JSON.stringify(Object.fromEntries(files))};
const [first, second] = process.argv.slice(2);
const asked = [first, first + ' ' + second].find((words) => Object.hasOwn(files, words));
require('./' + (asked === undefined ? '${ALL}' : files[asked]) + '.cjs');
`;
}

/** Puts each file in its place whole, for an \`fm\` may be starting meanwhile. The picker comes last. */
function put(path: string, contents: Uint8Array | string): void {
  const beside = `${path}.${process.pid}`;
  writeFileSync(beside, contents);
  renameSync(beside, path);
}

mkdirSync(dist, { recursive: true });
const outputs = await Promise.all([ALL, ...families].map((family) => bundle(family as Family | typeof ALL)));
for (const { path, contents } of outputs.flat()) put(path, contents);
put(join(dist, 'fm.cjs'), picker());
