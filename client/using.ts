import { AuthenticationFailedError, SecretsError } from './errors.ts';
import { recordOf } from './problems.ts';

const awsCodes = new Set([
  ...['InvalidClientTokenId', 'SignatureDoesNotMatch', 'UnrecognizedClientException', 'AccessDenied'],
  'InvalidAccessKeyId',
]);
const databaseCodes = new Set(['ER_ACCESS_DENIED_ERROR', 'AuthenticationFailed', 'ELOGIN']);

/**
 * Whether an error says that the other side refused a secret: {@link AuthenticationFailedError}; one whose
 * `status`, `statusCode` or `code`, or whose `response`'s, is 401 or 403; an AWS error that names an invalid
 * key; PostgreSQL's and MySQL's SQLSTATE of class 28; MongoDB's, SQL Server's and Redis's own words for it.
 */
export function isAuthenticationFailure(error: unknown): boolean {
  if (error instanceof AuthenticationFailedError) return true;
  // Ours: it was the store that refused, and asking it again would not help.
  if (error instanceof SecretsError) return false;
  const at = recordOf(error);
  for (const holder of [at, recordOf(at['response']), recordOf(at['$metadata'])]) {
    for (const name of ['status', 'statusCode', 'httpStatusCode', 'code']) {
      if (holder[name] === 401 || holder[name] === 403) return true;
    }
  }
  const words = ['name', 'code', 'Code', 'codeName'].map((name) => at[name]);
  if (words.some((word) => typeof word === 'string' && (awsCodes.has(word) || databaseCodes.has(word))))
    return true;
  if (
    [at['code'], at['sqlState']].some((state) => typeof state === 'string' && /^28[0-9A-Z]{3}$/.test(state))
  )
    return true;
  return typeof at['message'] === 'string' && /^(WRONGPASS|NOAUTH) /.test(at['message']);
}

/**
 * Calls `fn` with one value after the other until it does not fail by authentication; a value twice is tried once.
 * @param sources ask for the next value only when it is needed; undefined when there is none
 */
export async function tryEach<T>(
  sources: readonly (() => Promise<string | undefined>)[],
  fn: (value: string) => T | Promise<T>,
  isFailure: (error: unknown) => boolean,
): Promise<T> {
  const tried = new Set<string>();
  let failure: unknown;
  for (const source of sources) {
    const value = await source();
    if (value === undefined || tried.has(value)) continue;
    tried.add(value);
    try {
      return await fn(value);
    } catch (error) {
      if (!isFailure(error)) throw error;
      failure = error;
    }
  }
  throw failure;
}
