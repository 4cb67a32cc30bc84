import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A page of the documentation. */
export interface Page {
  /** Relative to the project, for example `docs/api.md`. */
  readonly path: string;
  readonly text: string;
}

const folders = ['.', 'docs', 'docs/adr', 'examples'];

/** Every page that ships, by path. */
export function readPages(): readonly Page[] {
  return folders.flatMap((folder) =>
    readdirSync(folder)
      .filter((name) => name.endsWith('.md'))
      .sort()
      .map((name) => ({ path: join(folder, name), text: readFileSync(join(folder, name), 'utf8') })),
  );
}

/** The page of that path. @throws Error when there is none */
export function readPage(path: string): Page {
  return { path, text: readFileSync(path, 'utf8') };
}

/** The code blocks of a language, in order. */
export function codeBlocks({ text }: Page, language: string): readonly string[] {
  const blocks = text.matchAll(/^```(\S*)\n(.*?)^```$/gms);
  return [...blocks].filter(([, of]) => of === language).map(([, , code = '']) => code);
}

/** A page without its code blocks. */
export function proseOf({ text }: Page): string {
  return text.replace(/^```.*?^```$/gms, '');
}

/** The cells of every table row that begins with code, without the backticks of its first cell. */
export function codeRows({ text }: Page): readonly (readonly string[])[] {
  const rows = text.matchAll(/^\| `([^`]+)` \|(.*)\|$/gm);
  return [...rows].map(([, first = '', rest = '']) => [first, ...rest.split('|').map((cell) => cell.trim())]);
}
