import { readFile } from 'node:fs/promises';
import type { Plugin } from 'esbuild';
import { parseSync } from 'oxc-parser';

/** Marks what a module declares as free of effects, so that the schemas that nobody uses are left out. */
export const unusedSchemas: Plugin = {
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
