import { describe, expect, test } from 'vitest';
import {
  invalid,
  type ProblemCode,
  problems,
  problemType,
  SecretsError,
} from '../../../shared/contract/errors.ts';

describe('problems', () => {
  test.each(Object.entries(problems))(
    '%s has a status of an error and a title',
    (code, { status, title }) => {
      expect(code).toMatch(/^[a-z]+(?:_[a-z]+)*$/);
      expect(status >= 400 && status < 600).toBe(true);
      expect(title).toMatch(/^[A-Z][^.]*$/);
    },
  );

  test('have types of their own that are URNs', () => {
    const types = Object.keys(problems).map((code) => problemType(code as ProblemCode));
    expect(new Set(types).size).toBe(types.length);
    for (const type of types) expect(type).toMatch(/^urn:flowmason:problem:[a-z]+(?:-[a-z]+)*$/);
    expect(problemType('method_not_allowed')).toBe('urn:flowmason:problem:method-not-allowed');
  });
});

describe('errors', () => {
  test('say what they are, and carry no more than they were given', () => {
    const error = new SecretsError('not_found', 'There is no such secret.');
    expect(error).toBeInstanceOf(Error);
    expect({ ...error, message: error.message }).toEqual({
      ...{ name: 'SecretsError', code: 'not_found', message: 'There is no such secret.' },
      ...{ errors: undefined, members: {} },
    });
    expect(error.cause).toBeUndefined();
  });

  test('of one field name it and its rule', () => {
    const error = invalid('value', 'must not be empty');
    expect(error).toMatchObject({
      code: 'validation',
      message: 'value: must not be empty',
      errors: [{ path: 'value', message: 'must not be empty' }],
    });
  });
});
