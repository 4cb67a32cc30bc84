import { describe, expect, test } from 'vitest';
import { errorOf } from '../../../client/problems.ts';
import { problems } from '../../../shared/contract/errors.ts';

const own = (path: string) => path;
const code = (name: string) => ({ status: 422, body: { code: name, detail: 'd', request_id: 'r-1' } });

describe('every problem of the server has its type', () => {
  const types: Partial<Record<string, string>> = {
    unauthenticated: 'UnauthenticatedError',
    forbidden: 'AccessDeniedError',
    malformed_request: 'InvalidReferenceError',
    validation: 'InvalidReferenceError',
    unresolved_references: 'InvalidReferenceError', // with references it is another: see below
    unavailable: 'UnavailableError',
    rate_limited: 'UnavailableError', // worth asking again
    ...Object.fromEntries(
      [
        ...['body_too_large', 'config_too_large', 'answer_too_large', 'config_too_deep'],
        'too_many_references',
      ].map((name) => [name, 'LimitExceededError']),
    ),
  };
  test.each(Object.entries(problems))('%s', (name, { status, title }) => {
    const error = errorOf({ status, body: { code: name, title, status, request_id: 'r-1' } }, own);
    expect(error).toMatchObject({
      name: types[name] ?? 'SecretsError',
      code: name,
      status,
      requestId: 'r-1',
    });
    expect(error.message).toBe(`${title} (request r-1)`);
  });
});

describe('references that failed', () => {
  const failing = (problem: string) =>
    errorOf(
      {
        ...code('unresolved_references'),
        body: {
          code: 'unresolved_references',
          references: [{ name: 'a', paths: ['$.x', 7, '$.x'], problem }],
        },
      },
      own,
    );

  test.each([
    'no secret of this name serves production here',
    'no previous version of it is kept now',
    'it has no such version',
  ])('%s: not found', (problem) => {
    expect(failing(problem)).toMatchObject({ name: 'SecretNotFoundError', paths: ['$.x'], names: ['a'] });
  });

  test.each(['the secret has no such field', 'a line break in a header', ''])('%s: unresolved', (problem) => {
    expect(failing(problem)).toMatchObject({ name: 'UnresolvedReferencesError', paths: ['$.x'] });
  });
});

describe('what is no problem document', () => {
  test.each([
    [401, 'UnauthenticatedError', 'unauthenticated'],
    [403, 'AccessDeniedError', 'forbidden'],
    [413, 'LimitExceededError', 'body_too_large'],
    [429, 'UnavailableError', 'unavailable'],
    [502, 'UnavailableError', 'unavailable'],
    [404, 'SecretsError', 'internal'],
    [307, 'SecretsError', 'internal'],
  ])('%i is typed by its status, and quotes nothing', (status, name, expected) => {
    for (const body of [undefined, null, 'text with a value', ['x'], { code: 7, detail: {} }]) {
      const error = errorOf({ status, body }, own);
      expect(error).toMatchObject({ name, code: expected, status, requestId: undefined });
      expect(error.message).toBe(`The server answered ${status}.`);
    }
  });
});
