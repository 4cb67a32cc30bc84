import { describe, expect, test } from 'vitest';
import { parseJsonSecret, takeField } from '../../../shared/contract/json-field.ts';

function take(text: string, ...fields: string[]): unknown {
  const parsed = parseJsonSecret(text, 'utf8');
  if ('problem' in parsed) return parsed.problem;
  const taken = takeField(parsed.value, fields);
  return 'problem' in taken ? taken.problem : JSON.stringify(taken.value);
}

test.each([
  ['sk-live', [], 'not_json'],
  ['{"a":1}', ['b'], 'no_such_field'],
  ['{"a":1}', ['a', 'b'], 'no_such_field'],
  [`${'['.repeat(65)}${']'.repeat(65)}`, [], 'field_too_deep'],
])('%s has nothing at %j: %s', (text, fields, code) => {
  const parsed = parseJsonSecret(text, 'utf8');
  expect('problem' in parsed ? parsed : takeField(parsed.value, fields)).toMatchObject({ code });
});

describe('fields', () => {
  test.each([
    ['{"a":"x"}', ['a'], '"x"'],
    ['{"a":{"b":[1,{"c":null}]}}', ['a', 'b', '1', 'c'], 'null'],
    ['[true,false]', ['1'], 'false'],
    ['{"0":"text"}', ['0'], '"text"'],
    ['{"__proto__":"own"}', ['__proto__'], '"own"'],
    ['{"n":12345678901234567890}', ['n'], '12345678901234567890'],
    ['{"n":1.0}', ['n'], '1.0'],
    ['{"n":1e400}', ['n'], '1e400'],
    ['{"n":7}', ['n'], '7'],
    ['{"n":-0}', ['n'], '-0'],
    ['{"n":[1.0],"n":2}', ['n'], '2'],
    ['{"n":2,"n":1.0}', ['n'], '1.0'],
    ['{"length":1,"rawJSON":2}', ['rawJSON'], '2'],
  ])('%s at %j', (text, fields, expected) => {
    expect(take(text, ...fields)).toBe(expected);
  });

  test.each([
    ['{"a":1}', ['b']],
    ['{"a":1}', ['a', 'b']],
    ['{"a":null}', ['a', 'b']],
    ['[1]', ['1']],
    ['[1]', ['length', 'x']],
    ['"text"', ['0']],
    ['{}', ['constructor']],
    ['{}', ['__proto__']],
    ['[]', ['map']],
    ['[1,2]', ['length']],
    ['[1]', ['00']],
    ['[1]', ['-1']],
    ['{"n":1.0}', ['n', 'rawJSON']],
    ['1.0', ['rawJSON']],
  ])('%s has nothing at %j', (text, fields) => {
    expect(take(text, ...fields)).toBe('the secret has no such field');
  });

  test('a number that JavaScript holds as it was written is a number', () => {
    expect(parseJsonSecret('-7.5', 'utf8')).toEqual({
      value: -7.5,
    });
  });

  test('what is not JSON has no fields, and is not quoted', () => {
    for (const text of ['sk-live', '{"a":1,}', '{', '']) {
      expect(take(text, 'a')).toBe('the secret is not JSON, so it has no fields');
    }
    expect(parseJsonSecret('e30=', 'base64')).toEqual({
      code: 'not_json',
      problem: 'the secret holds bytes, so it has no fields',
    });
  });

  test('a field nested without end is refused', () => {
    const nested = (levels: number) => `{"a":${'['.repeat(levels)}1${']'.repeat(levels)}}`;
    expect(take(nested(64), 'a')).toBe(`${'['.repeat(64)}1${']'.repeat(64)}`);
    // A number that is kept as it was written is no level.
    expect(take(nested(64).replace('1', '1.0'), 'a')).toBe(`${'['.repeat(64)}1.0${']'.repeat(64)}`);
    expect(take(nested(65), 'a')).toMatch(/more than 64 levels/);
    // However shallow what stands beside it.
    expect(take(nested(65).replace(':', ':[1,').replace(/}$/, ']}'), 'a')).toMatch(/more than 64 levels/);
    expect(take(nested(30_000), 'a')).toMatch(/more than 64 levels|not JSON/);
  });
});
