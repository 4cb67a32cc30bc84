import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { build } from 'esbuild';
import { auditAction } from '../shared/contract/audit.ts';

/** Builds the console into `dist/console`: a page, one script and one style sheet, both named by their content. */

const root = join(import.meta.dirname, '..');
const dist = join(root, 'dist/console');

async function buildConsole(): Promise<void> {
  const { outputFiles } = await build({
    entryPoints: [join(root, 'console/main.tsx'), join(root, 'console/styles/console.css')],
    entryNames: '[name]-[hash]',
    outdir: dist,
    tsconfig: join(root, 'console/tsconfig.json'),
    define: { AUDIT_ACTIONS: JSON.stringify(auditAction.options) },
    bundle: true,
    minify: true,
    format: 'esm',
    target: ['chrome123', 'firefox121', 'safari17.5'],
    legalComments: 'none',
    write: false,
    logLevel: 'error',
  });
  const names = outputFiles.map(({ path }) => basename(path));
  const named = (ending: string) => names.find((name) => name.endsWith(ending)) ?? '';
  const page = readFileSync(join(root, 'console/console.html'), 'utf8')
    .replace('main.js', named('.js'))
    .replace('console.css', named('.css'));
  rmSync(dist, { recursive: true, force: true });
  mkdirSync(dist, { recursive: true });
  for (const { path, contents } of outputFiles) writeFileSync(path, contents);
  writeFileSync(join(dist, 'index.html'), page);
  writeFileSync(join(dist, 'icon.svg'), readFileSync(join(root, 'console/icon.svg')));
}

await buildConsole();
