import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startServer, type TestServer } from '../testkit/server.ts';

const folder = join(import.meta.dirname, '../../dist/console');
const MAX_BYTES = 40 * 1024;

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server[Symbol.asyncDispose]());

test('all that the page loads is at most 40 kB, compressed', () => {
  const sizes = readdirSync(folder).map((name) => [name, gzipSync(readFileSync(join(folder, name))).length]);
  process.stdout.write(
    `console, gzipped: ${sizes.map(([name, size]) => `${name} ${size} bytes`).join(', ')}\n`,
  );
  expect(sizes.reduce((sum, [, size]) => sum + Number(size), 0)).toBeLessThanOrEqual(MAX_BYTES);
});

test('every file is served under a policy that lets nothing in from elsewhere', async () => {
  const page = await fetch(server.url);
  const html = await page.text();
  const files = [...html.matchAll(/(?:src|href)="(\/[^"]+)"/g)].map(([, path = '']) => path);
  expect(files).toHaveLength(3);
  for (const path of ['/', ...files]) {
    const { status, headers } = await fetch(server.url + path);
    expect(status, path).toBe(200);
    expect(headers.get('content-security-policy')).toBe(
      "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
    );
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('referrer-policy')).toBe('no-referrer');
  }
  expect(html).not.toMatch(/<script(?![^>]*src=)|style=|\son\w+=/);
});

test('what is no file of the console is answered by the API, whatever the path', async () => {
  for (const path of [
    '/index.html',
    '/../package.json',
    '/%2e%2e/package.json',
    '/console/main.tsx',
    '/admin.json',
  ]) {
    const { status, headers } = await fetch(server.url + path);
    expect(status, path).toBe(404);
    expect(headers.get('content-type')).toBe('application/problem+json');
  }
});
