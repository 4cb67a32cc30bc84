import { existsSync, readdirSync, readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { extname, join } from 'node:path';
import { consoleHeaders } from '../../console/headers.ts';

const folder = join(import.meta.dirname, '../../dist/console');

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

interface Page {
  readonly type: string;
  readonly cache: string;
  readonly content: Buffer;
}

/** Answers requests for the files of the console; false for what is none of them. */
export function createConsole(): (request: IncomingMessage, response: ServerResponse) => boolean {
  let pages: ReadonlyMap<string, Page> | undefined;
  return (request, response) => {
    const { url = '/', method = 'GET' } = request;
    if (method !== 'GET' || url.startsWith('/api/')) return false;
    // Read with the first page that is asked for: most starts are not for the console.
    pages ??= readPages();
    const page = pages.get(url.split('?', 1)[0] ?? url);
    if (page === undefined) return false;
    response.writeHead(200, {
      ...consoleHeaders,
      'content-type': page.type,
      'content-length': page.content.length,
      'cache-control': page.cache,
    });
    response.end(page.content);
    return true;
  };
}

/** Every file by its path. A list that is made once: no request ever becomes a path on this disk. */
function readPages(): ReadonlyMap<string, Page> {
  if (!existsSync(folder)) return new Map();
  return new Map(
    readdirSync(folder).map((name) => {
      const isPage = name === 'index.html';
      // The other files are named by their content, or hardly ever change.
      const cache = isPage ? 'no-cache' : 'public, max-age=31536000, immutable';
      const page = {
        type: types[extname(name)] ?? 'application/octet-stream',
        cache: name === 'icon.svg' ? 'public, max-age=86400' : cache,
        content: readFileSync(join(folder, name)),
      };
      return [isPage ? '/' : `/${name}`, page];
    }),
  );
}
