import { describe, expect, test } from 'vitest';
import type * as z from 'zod';

/** What a field takes and what it refuses. A refusal must name the field, and nothing else. */
export interface FieldRows {
  readonly accepts: readonly unknown[];
  readonly refuses: readonly unknown[];
}

/** Tests every field of a request or query, on top of an input that is accepted. */
export function describeFields(
  name: string,
  schema: z.ZodType,
  accepted: Readonly<Record<string, unknown>>,
  fields: Readonly<Record<string, FieldRows>>,
): void {
  describe(name, () => {
    test('takes the input that the rows build on, and nothing that is no object', () => {
      expect(schema.safeParse(accepted).error?.issues).toBeUndefined();
      for (const input of [undefined, null, '', 'text', 1, true, []]) {
        expect(schema.safeParse(input).success, JSON.stringify(input)).toBe(false);
      }
    });

    test.each(Object.entries(fields))('%s', (field, { accepts, refuses }) => {
      for (const value of accepts) {
        const { error } = schema.safeParse({ ...accepted, [field]: value });
        expect(error?.issues, shown(value)).toBeUndefined();
      }
      for (const value of refuses) {
        const { error } = schema.safeParse({ ...accepted, [field]: value });
        expect(new Set(error?.issues.map(({ path }) => path[0])), shown(value)).toEqual(new Set([field]));
      }
    });

    test('names every field that it has', () => {
      const { shape } = schema as unknown as { readonly shape: Readonly<Record<string, unknown>> };
      expect(Object.keys(shape).sort()).toEqual(Object.keys(fields).sort());
    });

    test('refuses what it does not name', () => {
      for (const key of ['other', 'constructor', '__proto__', 'Name', ' name']) {
        const input = JSON.parse(
          JSON.stringify(accepted)
            .replace('{', `{${JSON.stringify(key)}:"x",`)
            .replace(',}', '}'),
        );
        expect(
          schema.safeParse(input).error?.issues.map(({ code }) => code),
          key,
        ).toEqual(['unrecognized_keys']);
      }
    });
  });
}

function shown(value: unknown): string {
  return (JSON.stringify(value) ?? 'undefined').slice(0, 80);
}

const strangers = [undefined, null, 1, true, {}, [], ['a']];

/** No text: of any other type. `optional` fields may be left out. */
export const noText = { required: strangers, optional: strangers.slice(1) };

/** Text that no identifier of ours takes, whatever its alphabet. */
export const noIdentifiers = [
  ...[
    '',
    ' ',
    ' a',
    'a ',
    'a b',
    'a\n',
    '\na',
    'a\r\n',
    'a\0',
    'a\t',
    'a\u2028',
    'a\u00a0',
    '\ufeffa',
    'a\u200b',
  ],
  ...[
    'a#b',
    'a,b',
    'a"b',
    "a'b",
    'a\\b',
    'a%b',
    'a?b',
    'a&b',
    'a<b',
    'a{b',
    'a$b',
    'a*b',
    'a;b',
    'a(b',
    '{{secrets.a}}',
  ],
  ...['../a', '/a', '.a', '-a', '_a', '@a', 'é', 'kеy', '\uff41', '😀', 'a\ud800', 'a\u0301', 'İ', 'ſ', '١'],
];

/** One line of text that people read, of at most so many characters. */
export function lineRows(length: number, isOptional = true): FieldRows {
  return {
    accepts: ['x', 'Ünïcode 😀 "quoted" {{secrets.a}} <b>', 'x'.repeat(length)],
    refuses: [
      ...(isOptional ? noText.optional : noText.required),
      ...[
        'x'.repeat(length + 1),
        'a\nb',
        'a\rb',
        'a\0b',
        'a\tb',
        '\u001b[31m',
        '\u007f',
        '\u0085',
        '\u009b',
        'a\ud800',
      ],
    ],
  };
}

/** A whole number of a body. */
export function integerRows(min: number, max: number): FieldRows {
  return {
    accepts: [min, max],
    refuses: [
      min - 1,
      max + 1,
      min + 0.5,
      Number.NaN,
      Number.POSITIVE_INFINITY,
      2 ** 53,
      `${min}`,
      '',
      true,
      [min],
      {},
    ],
  };
}

/** A whole number of a query, where it is text. */
export function queryNumberRows(min: number, max: number): FieldRows {
  return {
    accepts: [undefined, `${min}`, `${max}`, `00${min}`, min],
    refuses: [
      ...[
        `${min - 1}`,
        `${max + 1}`,
        '-0',
        '+1',
        '1.0',
        '1e1',
        '0x1',
        '',
        ' ',
        ' 1',
        '1\n',
        '1,1',
        'one',
        '١',
        'NaN',
      ],
      ...['9'.repeat(400), 'Infinity', 'null', null, true, [], ['1'], {}, min + 0.5, max + 1],
    ],
  };
}

export const identifierRows: FieldRows = {
  accepts: [
    'a',
    '0',
    'Run_1',
    'a.b-c',
    'auth0|1',
    'user@example.com',
    'arn:aws:iam::1:user/x+y=z',
    'a'.repeat(128),
  ],
  refuses: [...noText.optional, ...noIdentifiers, 'a'.repeat(129)],
};

export const nameRows: FieldRows = {
  accepts: ['a', 'Z', 'openai_key', 'A-9_', 'auditor', 'Audit', 'proto', 'a'.repeat(128)],
  refuses: [
    ...noText.required,
    ...noIdentifiers,
    'audit',
    '1a',
    'a.b',
    'a@b',
    'a/b',
    'a:b',
    '__proto__',
    'a'.repeat(129),
  ],
};

export const environmentRows: FieldRows = {
  accepts: ['development', 'staging', 'production', 'a', 'eu-1', 'a'.repeat(32)],
  refuses: [...noText.optional, ...noIdentifiers, 'none', 'Prod', '1a', 'a_b', 'a.b', 'a@b', 'a'.repeat(33)],
};

export const timestampRows: FieldRows = {
  accepts: ['2026-01-31T12:00:00Z', '2026-01-31T12:00:00.5Z', '2024-02-29T23:59:59.999999Z'],
  refuses: [
    ...noText.optional,
    ...[
      '',
      'now',
      '2026-01-31',
      '2026-01-31T12:00Z',
      '2026-01-31T12:00:00',
      '2026-01-31t12:00:00z',
      '20260131T120000Z',
    ],
    ...[
      '2026-02-29T12:00:00Z',
      '2026-13-01T12:00:00Z',
      '2026-01-31T24:00:00Z',
      '2026-01-31T12:00:60Z',
      '1769860800',
    ],
    ...[
      '2026-01-31T12:00:00+01:00',
      '2026-01-31T12:00:00+00:00',
      '2026-01-31T12:00:00Z\n',
      ' 2026-01-31T12:00:00Z',
    ],
  ],
};

/** One of a few words, in that spelling. */
export function wordRows(...words: readonly string[]): FieldRows {
  const spelt = words.flatMap((word) => [word.toUpperCase(), ` ${word}`, `${word}\n`]);
  return { accepts: words, refuses: [...noText.optional, '', 'other', 'constructor', ...spelt] };
}

/** The same rows for a field that may be left out, or be null. */
export function orNone({ accepts, refuses }: FieldRows, ...none: readonly (null | undefined)[]): FieldRows {
  const isNone = (value: unknown) => none.some((one) => one === value);
  return { accepts: [...accepts, ...none], refuses: refuses.filter((value) => !isNone(value)) };
}

/** Which secret of a name is meant. */
export const selectorFields = {
  scope: orNone(wordRows('org', 'pipeline', 'user'), undefined),
  pipeline_id: orNone(identifierRows, undefined),
  user: orNone(identifierRows, undefined),
  environment: {
    accepts: [...environmentRows.accepts, 'none', undefined],
    refuses: environmentRows.refuses.filter((value) => value !== 'none'),
  },
};
/** How many, and from where. */
export const pageFields = {
  limit: queryNumberRows(1, 1000),
  cursor: {
    accepts: [undefined, 'a', 'A-_9', 'a'.repeat(600)],
    refuses: [...noText.optional, '', 'a=', 'a+b', 'a/b', 'a b', 'a\n', 'é', 'a'.repeat(601)],
  },
};
