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
  const failing = (reference: { code?: unknown; problem?: string }) =>
    errorOf(
      {
        ...code('unresolved_references'),
        body: {
          code: 'unresolved_references',
          references: [{ name: 'a', paths: ['$.x', 7, '$.x'], ...reference }],
        },
      },
      own,
    );

  test.each(['not_found', 'no_previous_version', 'no_such_version'])('%s: there is no such thing', (code) => {
    const problem = 'in words';
    expect(failing({ code, problem })).toMatchObject({
      ...{ name: 'SecretNotFoundError', paths: ['$.x'], names: ['a'] },
      references: [{ code, problem, reference: 'a' }],
    });
  });

  test.each([
    ['no_such_field', 'no_such_field'],
    ['line_break_in_header', 'line_break_in_header'],
    ['one that is not known yet', 'one that is not known yet'],
    [7, 'internal'],
    [undefined, 'internal'],
  ])('%s: unresolved', (given, code) => {
    expect(failing({ code: given })).toMatchObject({
      ...{ name: 'UnresolvedReferencesError', paths: ['$.x'] },
      references: [{ code, problem: 'it cannot be resolved' }],
    });
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
