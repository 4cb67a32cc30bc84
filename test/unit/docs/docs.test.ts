import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { routes } from '../../../functions/routes.ts';
import { problems } from '../../../shared/contract/errors.ts';
import { limits } from '../../../shared/contract/resolve.ts';
import { VERSION } from '../../../shared/contract/version.ts';
import { migrations } from '../../../shared/embedded/schema.ts';
import { defaultBounds } from '../../../shared/envelope/data-keys.ts';
import { SEAL_OVERHEAD } from '../../../shared/envelope/envelope.ts';
import { codeRows, proseOf, readPage, readPages } from './markdown.ts';

const lineCount = (text: string) => text.trimEnd().split('\n').length;
const pages = readPages();

describe.each(pages)('$path', (page) => {
  test('its links lead somewhere', () => {
    const links = [...proseOf(page).matchAll(/\]\(([^)#\s]+)[^)]*\)/g)].map(([, target = '']) => target);
    const local = links.filter((target) => !target.includes('://'));
    const broken = local.filter((target) => !existsSync(join(dirname(page.path), target)));
    expect(broken).toEqual([]);
  });

  test('the files that it names are there', () => {
    const named = proseOf(page).matchAll(/`((?:cli|examples|functions|infra|shared|test)\/[\w./-]*)`/g);
    const missing = [...named].map(([, path = '']) => path).filter((path) => !existsSync(path));
    expect(missing).toEqual([]);
  });
});

test('the README is one screen and says how to start and to test', () => {
  const { text } = readPage('README.md');
  expect(lineCount(text)).toBeLessThanOrEqual(70);
  expect(text).toContain('npm ci && npm start');
  expect(text).toContain('npm ci && npm test');
});

test('decisions are numbered without a gap, listed, and at most 40 lines', () => {
  const adrs = pages.filter(({ path }) => /^docs\/adr\/\d/.test(path));
  const list = readPage('docs/adr/README.md').text;
  adrs.forEach(({ path, text }, index) => {
    expect(path).toContain(`/${String(index + 1).padStart(4, '0')}-`);
    expect(text.startsWith(`# ${index + 1}. `)).toBe(true);
    expect(list).toContain(path.replace('docs/adr/', ''));
    expect(lineCount(text)).toBeLessThanOrEqual(40);
  });
  expect(adrs.length).toBeGreaterThan(0);
});

test('api.md lists every error as the contract has it', () => {
  const documented = codeRows(readPage('docs/api.md')).filter(([code = '']) => code in problems);
  const expected = Object.entries(problems).map(([code, { status, title }]) => [code, String(status), title]);
  expect(documented).toEqual(expected);
});

test('api.md names every route and the limits of a resolve', () => {
  const { text } = readPage('docs/api.md');
  const missing = routes
    .map(({ method, path }) => `\`${method} ${path}`)
    .filter((route) => !text.includes(`${route}\``) && !text.includes(`${route}?`));
  expect(missing).toEqual([]);
  const { depth, references, configBytes, answerBytes } = limits;
  const mebibytes = (bytes: number) => `${bytes / 1024 ** 2} MiB`;
  expect(text).toContain(
    `${depth} levels, ${references} different references, ${mebibytes(configBytes)} of config, ${mebibytes(answerBytes)} of answer`,
  );
});

test('data-model.md names every table and index of the schema', () => {
  const { text } = readPage('docs/data-model.md');
  const made = migrations.flatMap((step) => [...step.matchAll(/CREATE (?:TABLE|INDEX) (\w+)/g)]);
  const missing = made.map(([, name = '']) => name).filter((name) => !text.includes(`\`${name}\``));
  expect(missing).toEqual([]);
  expect(made.length).toBeGreaterThan(0);
});

test('envelope.md has the sizes and bounds of the code', () => {
  const { text } = readPage('docs/envelope.md');
  const { maxAgeMs, maxUses, maxKeys } = defaultBounds;
  expect(text).toContain(`An envelope adds ${SEAL_OVERHEAD} bytes`);
  expect(text).toContain(`| age | ${maxAgeMs / 60_000} minutes |`);
  expect(text).toContain(`| uses | ${maxUses.toLocaleString('en')} |`);
  expect(text).toContain(`| keys | ${maxKeys.toLocaleString('en')} |`);
});

test('the changelog has this version', () => {
  expect(readPage('CHANGELOG.md').text).toMatch(
    new RegExp(`^##.* \\[?${VERSION.replaceAll('.', '\\.')}`, 'm'),
  );
});
