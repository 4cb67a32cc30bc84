import { describe, expect, test } from 'vitest';
import {
  fillConfig,
  isUnderHeaders,
  type PathNode,
  parseTemplate,
  pathsOf,
  pathText,
  type Reference,
  scanConfig,
} from '../../../shared/contract/references.ts';

const LEVELS = 64;

/** Fills a config with `<key>` for every reference, or says what a resolve would refuse. */
function filled(
  config: unknown,
  value: (reference: Reference) => unknown = ({ key }) => `<${key}>`,
): unknown {
  const scanned = scanConfig(config, LEVELS);
  if (scanned === null) return 'too deep';
  if (scanned.malformed.length > 0) return scanned.malformed.map(pathText);
  expect(fillConfig(scanned, value, 10_000_000)).toBe(true);
  return scanned.root.config;
}

test.each([
  ['{{secrets.a}}', null],
  ['{{secrets.a@7}}', 7],
  ['{{secrets.a@previous.b}}', 'previous'],
])('%s asks for version %s', (text, pin) => {
  expect([...(scanConfig(text, LEVELS)?.references.values() ?? [])].map((each) => each.pin)).toEqual([pin]);
});

describe('what is a reference', () => {
  test.each([
    ['whole', '{{secrets.key}}', '<key>'],
    ['embedded', 'Bearer {{secrets.key}}!', 'Bearer <key>!'],
    ['several', '{{secrets.a}}{{secrets.b}}-{{secrets.a}}', '<a><b>-<a>'],
    ['spaces within the braces', '{{ secrets.key }}', '<key>'],
    ['a tab', '{{\tsecrets.key\t}}', '<key>'],
    ['a field', '{{secrets.db.users.0.name}}', '<db.users.0.name>'],
    ['a version', '{{secrets.key@7}}', '<key@7>'],
    ['the previous version', '{{secrets.key@previous.field}}', '<key@previous.field>'],
    ['every character of a name', '{{secrets.aZ0_-}}', '<aZ0_->'],
    ['the longest name', `{{secrets.${'a'.repeat(128)}}}`, `<${'a'.repeat(128)}>`],
    ['after another brace', '{{{secrets.key}}}', '{<key>}'],
    ['after a template of another kind', '{{input.x}}{{secrets.key}}', '{{input.x}}<key>'],
    ['after a surrogate pair', '😀{{secrets.key}}é', '😀<key>é'],
  ])('%s', (_what, text, expected) => {
    expect(filled(text)).toBe(expected);
  });

  test.each([
    ['plain text', 'no braces'],
    ['input', '{{input.x}}'],
    ['upstream', '{{upstream.s.f}}'],
    ['env', '{{env.X}}'],
    ['context', '{{ context.x }}'],
    ['a longer word', '{{secretsX.key}}'],
    ['a word with a dash', '{{secrets-key}}'],
    ['other case', '{{Secrets.key}}'],
    ['one brace', '{secrets.key}'],
    ['an escaped template of another kind', '\\{{input.x}}'],
    ['empty braces', '{{}}'],
  ])('%s is left as it is', (_what, text) => {
    expect(parseTemplate(text)).toBeNull();
    expect(filled(text)).toBe(text);
  });

  test.each([
    ['escaped', '\\{{secrets.key}}', '{{secrets.key}}'],
    ['escaped with spaces', 'x \\{{ secrets.key }} y', 'x {{ secrets.key }} y'],
    ['escaped twice: one backslash goes', '\\\\{{secrets.key}}', '\\{{secrets.key}}'],
    ['escaped beside a real one', '\\{{secrets.a}} {{secrets.b}}', '{{secrets.a}} <b>'],
    ['escaped and malformed', '\\{{secrets.}}', '{{secrets.}}'],
  ])('%s', (_what, text, expected) => {
    expect(filled({ text })).toEqual({ text: expected });
  });

  test.each([
    ['no name', '{{secrets.}}'],
    ['no dot', '{{secrets}}'],
    ['a digit first', '{{secrets.1key}}'],
    ['a name too long', `{{secrets.${'a'.repeat(129)}}}`],
    ['a space within', '{{secrets.my key}}'],
    ['a space after the dot', '{{secrets. key}}'],
    ['a line break', '{{secrets.key\n}}'],
    ['an empty field', '{{secrets.key.}}'],
    ['version 0', '{{secrets.key@0}}'],
    ['an unknown pin', '{{secrets.key@next}}'],
    ['a pin after the field', '{{secrets.key.field@7}}'],
    ['a filter', '{{secrets.key | upper}}'],
    ['not ended', '{{secrets.key'],
    ['one brace at the end', '{{secrets.key}'],
    ['17 fields', `{{secrets.key${'.f'.repeat(17)}}}`],
    ['brackets', '{{secrets[0]}}'],
    ['another letter of the same look', '{{secrets.kеy}}'],
    ['a NUL', '{{secrets.key\0}}'],
  ])('%s is refused by its path', (_what, text) => {
    expect(filled({ a: ['ok', { b: text }] })).toEqual(['$.a[1].b']);
    expect(filled({ a: `{{secrets.ok}} ${text}` })).toEqual(['$.a']);
  });
});

describe('filling', () => {
  test('keys are not substituted', () => {
    expect(filled({ '{{secrets.key}}': '{{secrets.key}}' })).toEqual({ '{{secrets.key}}': '<key>' });
  });

  test.each(['{{secrets.other}}', '$&', "$1$`$'", '\\{{secrets.x}}', '"', '\n', '{{', '}}', '%s', '\u2028'])(
    'an inserted value is never read again: %j',
    (value) => {
      expect(filled('a{{secrets.key}}b', () => value)).toBe(`a${value}b`);
      expect(filled(['{{secrets.key}}', '{{secrets.key}}{{secrets.key}}'], () => value)).toEqual([
        value,
        value + value,
      ]);
    },
  );

  test('a whole reference keeps the type of a field, an embedded one takes its JSON', () => {
    expect(filled({ port: '{{secrets.db.port}}', text: ':{{secrets.db.port}}' }, () => 5432)).toEqual({
      port: 5432,
      text: ':5432',
    });
    expect(filled(['{{secrets.a.b}}', '={{secrets.a.b}}'], () => ({ x: [null] }))).toEqual([
      { x: [null] },
      '={"x":[null]}',
    ]);
  });

  test('values that are no strings stay', () => {
    const config = { a: 1, b: null, c: true, d: [2, [false]], e: {}, f: [] };
    expect(filled(structuredClone(config))).toEqual(config);
  });

  test('a config that is one string has a place too', () => {
    const scanned = scanConfig('{{secrets.key}}', LEVELS);
    expect([...(scanned?.references.values() ?? [])].map(pathsOf)).toEqual([['$']]);
  });
});

describe('hostile configs', () => {
  test('own keys that JavaScript knows are plain data, and nothing is polluted', () => {
    const text =
      '{"__proto__":{"polluted":"{{secrets.a}}"},"constructor":"{{secrets.b}}","toString":["{{secrets.c}}"]}';
    const result = filled(JSON.parse(text));
    expect(JSON.stringify(result)).toBe(
      '{"__proto__":{"polluted":"<a>"},"constructor":"<b>","toString":["<c>"]}',
    );
    const own: Record<string, unknown> = {};
    expect(own['polluted']).toBeUndefined();
    expect(JSON.stringify(filled(JSON.parse('{"__proto__":"{{secrets.a}}"}')))).toBe('{"__proto__":"<a>"}');
  });

  test.each([
    [63, false],
    [64, false],
    [65, true],
    [10_000, true],
  ])('%i levels', (levels, isRefused) => {
    const config = JSON.parse(
      '[{"a":'.repeat(levels / 2) +
        (levels % 2 ? '[' : '') +
        '"{{secrets.a}}"' +
        (levels % 2 ? ']' : '') +
        '}]'.repeat(levels / 2),
    );
    expect(scanConfig(config, LEVELS) === null).toBe(isRefused);
  });

  test.each([
    ['a million openings', '{{'.repeat(1_000_000)],
    ['a mebibyte of braces', '{'.repeat(1_048_576)],
    ['beginnings of references', '{{secrets.'.repeat(100_000)],
    ['words without an end', '{{secrets'.repeat(100_000)],
    ['openings and spaces', '{{ '.repeat(300_000)],
    ['one endless gap', `{{${' '.repeat(1_000_000)}`],
    ['one endless gap after a name', `{{secrets.a${' '.repeat(1_000_000)}`],
    ['names and gaps', `{{secrets.a${' '.repeat(20)}`.repeat(30_000)],
    [
      'names of the longest kind that do not end',
      `{{secrets.${'n'.repeat(128)}${`.${'f'.repeat(128)}`.repeat(16)}`.repeat(450),
    ],
    ['one endless field path', `{{secrets.a${'.a'.repeat(500_000)}`],
    ['backslashes', '\\'.repeat(1_000_000)],
  ])('%s', (_what, text) => {
    const scanned = scanConfig({ text }, LEVELS);
    expect(scanned?.references.size).toBe(0);
    expect(scanned?.malformed.length).toBe(text.includes('{{secrets') ? 1 : 0);
  });

  test('as many places as a config can hold stay one reference each', () => {
    const scanned = scanConfig(
      Array.from({ length: 70_000 }, () => '{{secrets.a}}'),
      LEVELS,
    );
    const [reference] = scanned?.references.values() ?? [];
    expect(scanned?.references.size).toBe(1);
    expect(reference?.slots).toHaveLength(70_000);
    expect(reference && pathsOf(reference)).toHaveLength(100);
  });
});

describe('paths', () => {
  test.each([
    [{ stages: [{ config: { api_key: '{{secrets.a}}' } }] }, '$.stages[0].config.api_key'],
    [{ 'X-API-Key': '{{secrets.a}}' }, '$["X-API-Key"]'],
    [{ 'a"b\n': '{{secrets.a}}' }, '$["a\\"b\\n"]'],
    [{ '': '{{secrets.a}}' }, '$[""]'],
    [{ ['-'.repeat(128)]: '{{secrets.a}}' }, `$["${'-'.repeat(128)}"]`],
    [{ ['k'.repeat(500)]: '{{secrets.a}}' }, `$["${'k'.repeat(128)}…"]`],
  ])('%j', (config, path) => {
    const [reference] = scanConfig(config, LEVELS)?.references.values() ?? [];
    expect(reference && pathsOf(reference)).toEqual([path]);
  });

  test('a cut does not go through a character', () => {
    const path = pathText({ parent: { parent: null, key: '$' }, key: `${'k'.repeat(127)}😀` });
    expect(path).toBe(`$["${'k'.repeat(127)}\ufffd…"]`);
    const nodes = Array.from({ length: 8 }, () => `${'k'.repeat(121)}😀é`);
    const long = nodes.reduce<PathNode>((parent, key) => ({ parent, key }), { parent: null, key: '$' });
    expect(pathText(long)).toHaveLength(1025);
    expect(pathText(long).isWellFormed()).toBe(true);
  });

  test('the paths of one reference are few enough for an answer, however long its keys are', () => {
    const places = Array.from({ length: 100 }, () => '{{secrets.a}}');
    const config = Array.from({ length: 62 }).reduce<unknown>((at) => ({ ['\0'.repeat(128)]: at }), places);
    const [reference] = scanConfig(config, LEVELS)?.references.values() ?? [];
    const paths = reference === undefined ? [] : pathsOf(reference);
    expect(paths.length).toBeGreaterThan(1);
    expect(paths.join('').length).toBeLessThanOrEqual(8192);
  });

  test('what lies under headers is known, whatever its case', () => {
    const underHeaders = (config: unknown) =>
      scanConfig(config, LEVELS)?.slots.map(({ at }) => isUnderHeaders(at));
    expect(underHeaders({ headers: { A: '{{secrets.a}}', deep: ['{{secrets.a}}'] } })).toEqual([true, true]);
    expect(underHeaders({ Headers: '{{secrets.a}}', header: '{{secrets.a}}' })).toEqual([true, false]);
  });
});
