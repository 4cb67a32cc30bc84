import { describe, expect, test } from 'vitest';
import { AccessDeniedError, AuthenticationFailedError } from '../../../client/errors.ts';
import { isAuthenticationFailure, tryEach } from '../../../client/using.ts';

const errorWith = (more: object) => Object.assign(new Error('it failed'), more);

describe('the other side refused the value', () => {
  test.each([
    ['our own', new AuthenticationFailedError('no')],
    ['an HTTP client, by status', errorWith({ status: 401 })],
    ['by statusCode', errorWith({ statusCode: 403 })],
    ['by the response', errorWith({ response: { status: 401 } })],
    ['a gRPC-like code', errorWith({ code: 401 })],
    ['the AWS SDK, by metadata', errorWith({ $metadata: { httpStatusCode: 403 } })],
    ['the AWS SDK, by name', errorWith({ name: 'InvalidClientTokenId' })],
    ['S3', errorWith({ Code: 'InvalidAccessKeyId' })],
    ['PostgreSQL', errorWith({ code: '28P01' })],
    ['MySQL', errorWith({ code: 'ER_ACCESS_DENIED_ERROR', sqlState: '28000' })],
    ['MongoDB', errorWith({ codeName: 'AuthenticationFailed', code: 18 })],
    ['Redis', new Error('WRONGPASS invalid username-password pair')],
    ['what is no Error', { status: 401 }],
  ])('%s', (_who, error) => {
    expect(isAuthenticationFailure(error)).toBe(true);
  });
});

describe('something else failed', () => {
  test.each([
    ['another status', errorWith({ status: 500 })],
    ['another SQLSTATE', errorWith({ code: '23505' })],
    ['a network error', errorWith({ code: 'ECONNRESET' })],
    ['the store itself: asking again would not help', new AccessDeniedError('no', { status: 403 })],
    ['a message that only speaks of it', new Error('got a WRONGPASS 401')],
    ['text', '401'],
    ['nothing', undefined],
  ])('%s', (_what, error) => {
    expect(isAuthenticationFailure(error)).toBe(false);
  });
});

describe('trying each', () => {
  const refused = new AuthenticationFailedError('no');
  const sources = (...values: (string | undefined)[]) => values.map((value) => async () => value);

  test('a value twice is tried once, and the next is asked for only when it is needed', async () => {
    const tried: string[] = [];
    const fn = (value: string) => {
      tried.push(value);
      if (value !== 'c') throw refused;
      return value;
    };
    const never = () => Promise.reject(new Error('was asked for'));
    const all = [...sources('a', 'a', undefined, 'b', 'c'), never];
    expect(await tryEach(all, fn, isAuthenticationFailure)).toBe('c');
    expect(tried).toEqual(['a', 'b', 'c']);
  });

  test('fails as the last one did', async () => {
    const fn = (value: string) => Promise.reject(new AuthenticationFailedError(`no ${value}`));
    await expect(tryEach(sources('1', '2'), fn, isAuthenticationFailure)).rejects.toThrow('no 2');
  });
});
