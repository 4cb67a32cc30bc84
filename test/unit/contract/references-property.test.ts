import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  fillConfig,
  parseTemplate,
  pathsOf,
  pathText,
  scanConfig,
} from '../../../shared/contract/references.ts';

/** A second reading of the grammar, one character after another and without a regular expression. */
function naive(text: string, insert: (key: string) => string): { filled: string; malformed: boolean } {
  let filled = '';
  let malformed = false;
  for (let at = 0; at < text.length; ) {
    const escapedEnd = text[at] === '\\' ? openerEnd(text, at + 1) : -1;
    const end = openerEnd(text, at);
    const reference = end < 0 ? null : readReference(text, end);
    if (escapedEnd > 0) {
      filled += text.slice(at + 1, escapedEnd);
      at = escapedEnd;
    } else if (reference !== null) {
      filled += insert(reference.key);
      at = reference.end;
    } else {
      malformed ||= end > 0;
      filled += text[at];
      at += 1;
    }
  }
  return { filled, malformed };
}

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const DIGITS = '0123456789';

/** The end of the longest run of some characters. */
function endOfRun(text: string, from: number, characters: string): number {
  let end = from;
  while (end < text.length && characters.includes(text.charAt(end))) end += 1;
  return end;
}

const endOfWord = (text: string, from: number) => endOfRun(text, from, `${LETTERS}${DIGITS}_-`);

/** Where `{{secrets` ends that begins here; -1 when none does. */
function openerEnd(text: string, from: number): number {
  if (!text.startsWith('{{', from)) return -1;
  const word = endOfRun(text, from + 2, ' \t');
  return text.slice(word, endOfWord(text, word)) === 'secrets' ? word + 'secrets'.length : -1;
}

function readReference(text: string, from: number): { key: string; end: number } | null {
  const begin = from + 1;
  let end = endOfWord(text, begin);
  if (text[from] !== '.' || !LETTERS.includes(text[begin] ?? '0') || end - begin > 128) return null;
  if (text[end] === '@') {
    const pin = text.slice(end + 1, endOfWord(text, end + 1));
    const isNumber =
      pin !== '' && endOfRun(pin, 0, DIGITS) === pin.length && pin[0] !== '0' && pin.length < 10;
    if (!isNumber && pin !== 'previous') return null;
    end += 1 + pin.length;
  }
  for (let fields = 0; text[end] === '.'; fields += 1) {
    const field = endOfWord(text, end + 1);
    if (field === end + 1 || field - end > 129 || fields === 16) return null;
    end = field;
  }
  const close = endOfRun(text, end, ' \t');
  return text.startsWith('}}', close) ? { key: text.slice(begin, end), end: close + 2 } : null;
}

const tokens = fc.constantFrom(
  ...[
    '{',
    '{{',
    '}',
    '}}',
    '\\',
    'secrets',
    '.',
    '@',
    ' ',
    '\t',
    '\n',
    'a',
    'Z9_-',
    '0',
    '7',
    'previous',
    '😀',
  ],
  ...[
    '{{secrets.',
    '{{secrets.a}}',
    '{{ secrets.b.c }}',
    '\\{{secrets.a}}',
    '{{input.x}}',
    '\ud800',
    '\u00a0',
  ],
  ...['n'.repeat(127), 'n'.repeat(128), '.f'.repeat(15), '$&', '}}{{secrets', '"'],
);
const text = fc.oneof(
  fc.array(tokens, { maxLength: 14 }).map((parts) => parts.join('')),
  fc.string({ unit: 'binary' }),
);
const MANY = { numRuns: 5000 };

describe('one string', () => {
  test('is filled as the naive reading fills it, whatever is inserted', () => {
    fc.assert(
      fc.property(text, text, (config, value) => {
        const insert = (key: string) => `${key}${value}`;
        const scanned = scanConfig(config, 1);
        if (scanned === null) return expect.fail('too deep');
        const expected = naive(config, insert);
        expect(scanned.malformed.map(pathText)).toEqual(expected.malformed ? ['$'] : []);
        expect(fillConfig(scanned, ({ key }) => insert(key), Number.POSITIVE_INFINITY)).toBe(true);
        expect(scanned.root.config).toBe(expected.filled);
      }),
      MANY,
    );
  });

  test('is left alone exactly when nothing opens a reference', () => {
    fc.assert(
      fc.property(text, (config) => {
        const isAlone = Array.from({ length: config.length }).every((_, at) => openerEnd(config, at) < 0);
        expect(parseTemplate(config) === null).toBe(isAlone);
      }),
      MANY,
    );
  });
});

describe('a config', () => {
  const keys = fc.oneof(
    fc.constantFrom(
      '__proto__',
      'constructor',
      'prototype',
      'toString',
      'length',
      '0',
      '',
      'a.b',
      'x"]',
      '[0]',
    ),
    fc.string({ unit: 'grapheme', maxLength: 8 }),
    fc.constant('{{secrets.key}}'),
  );
  const leaf = fc.oneof(text, fc.integer(), fc.boolean(), fc.constant(null));
  /** JSON text, since a `__proto__` of an object literal would be no key. */
  const json = fc.letrec<{ value: string }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4, depthSize: 'small' },
      leaf.map((value) => JSON.stringify(value)),
      fc.array(tie('value'), { maxLength: 4 }).map((items) => `[${items.join()}]`),
      fc
        .uniqueArray(fc.tuple(keys, tie('value')), { maxLength: 4, selector: ([key]) => key })
        .map((entries) => `{${entries.map(([key, value]) => `${JSON.stringify(key)}:${value}`).join()}}`),
    ),
  })).value;

  /** Every string of it with its path's steps; keys are no strings of it. */
  function strings(
    value: unknown,
    steps: readonly string[] = [],
  ): { steps: readonly string[]; text: string }[] {
    if (typeof value === 'string') return [{ steps, text: value }];
    if (typeof value !== 'object' || value === null) return [];
    return Object.entries(value).flatMap(([key, child]) => strings(child, [...steps, key]));
  }

  test('is filled string by string; all else of it stays, byte for byte, and nothing is polluted', () => {
    const known = Object.getOwnPropertyNames(Object.prototype).sort();
    fc.assert(
      fc.property(json, (source) => {
        const scanned = scanConfig(JSON.parse(source), 64);
        if (scanned === null) return expect.fail('too deep');
        fillConfig(scanned, ({ key }) => `<${key}>`, Number.POSITIVE_INFINITY);
        const expected = JSON.parse(source, (_key, value) =>
          typeof value === 'string' ? naive(value, (key) => `<${key}>`).filled : value,
        );
        expect(JSON.stringify(scanned.root.config)).toBe(JSON.stringify(expected));
        expect(Object.getOwnPropertyNames(Object.prototype).sort()).toEqual(known);
      }),
      { numRuns: 1000 },
    );
  });

  test('its paths lead to the strings that name the reference, to all of them and to no others', () => {
    fc.assert(
      fc.property(json, (source) => {
        const found = new Map<string, string[]>();
        for (const { steps, text: string } of strings(JSON.parse(source))) {
          const keysIn = new Set<string>();
          naive(string, (key) => {
            keysIn.add(key);
            return '';
          });
          for (const key of keysIn) found.set(key, [...(found.get(key) ?? []), JSON.stringify(steps)]);
        }
        const scanned = scanConfig(JSON.parse(source), 64);
        if (scanned === null) return expect.fail('too deep');
        const told = [...scanned.references.values()].map((reference) => [
          reference.key,
          pathsOf(reference).map((path) => JSON.stringify(stepsOf(path))),
        ]);
        expect(told).toEqual([...found]);
      }),
      { numRuns: 1000 },
    );
  });

  /** Reads a path back: `$`, then `.name`, `[0]` or `["key"]`. */
  function stepsOf(path: string): string[] {
    const step = /\.([A-Za-z_][A-Za-z0-9_]*)|\[(\d+)\]|\[("(?:[^"\\]|\\.)*")\]/y;
    const steps: string[] = [];
    step.lastIndex = 1;
    while (step.lastIndex < path.length) {
      const match = step.exec(path) ?? expect.fail(`no path: ${path}`);
      steps.push(match[1] ?? match[2] ?? JSON.parse(match[3] ?? ''));
    }
    return steps;
  }
});
