import {
  AccessDeniedError,
  type FailedReference,
  InvalidReferenceError,
  LimitExceededError,
  SecretNotFoundError,
  SecretsError,
  UnauthenticatedError,
  UnavailableError,
  UnresolvedReferencesError,
} from './errors.ts';

/** The answer to a request: its JSON, or the problem document of a refusal. */
export interface Reply {
  readonly status: number;
  readonly body: unknown;
}

const limits = new Set([
  ...['config_too_large', 'answer_too_large', 'config_too_deep', 'too_many_references', 'body_too_large'],
]);
/** Statuses that mean: not now. */
export const transient: ReadonlySet<number> = new Set([429, 502, 503, 504]);
// There is no such thing, as against one that cannot be used in this place.
const missing = new Set(['not_found', 'no_such_version', 'no_previous_version', 'no_pending_version']);
const codes: Readonly<Record<number, string>> = {
  401: 'unauthenticated',
  403: 'forbidden',
  413: 'body_too_large',
};

/**
 * The error for a refusal (RFC 9457).
 * @param ownPath translates a path of the server's into one of the user's config
 */
export function errorOf(
  { status, body }: Reply,
  ownPath: (path: string) => string,
  retryAfter?: number,
): SecretsError {
  const problem = recordOf(body);
  const code =
    textOf(problem['code']) ?? codes[status] ?? (transient.has(status) ? 'unavailable' : 'internal');
  const detail = textOf(problem['detail']) ?? textOf(problem['title']) ?? `The server answered ${status}.`;
  const facts = { code, status, requestId: textOf(problem['request_id']) };
  if (code === 'unresolved_references') {
    const failed = failedReferences(problem['references'], ownPath);
    const isMissing = failed.some((reference) => missing.has(reference.code));
    if (isMissing) return new SecretNotFoundError(detail, failed, facts);
    if (failed.length > 0) return new UnresolvedReferencesError(detail, failed, facts);
  }
  if (['validation', 'unresolved_references', 'malformed_request'].includes(code)) {
    const paths = listOf(problem['errors']).map((error) => textOf(recordOf(error)['path']));
    return new InvalidReferenceError(detail, ownPaths(paths, ownPath), facts);
  }
  if (limits.has(code)) return new LimitExceededError(detail, facts);
  if (status === 401) return new UnauthenticatedError(detail, facts);
  if (status === 403) return new AccessDeniedError(detail, facts);
  if (transient.has(status)) return new UnavailableError(detail, facts, retryAfter);
  return new SecretsError(detail, facts);
}

function failedReferences(references: unknown, ownPath: (path: string) => string): FailedReference[] {
  return listOf(references).map((entry) => {
    const reference = recordOf(entry);
    const name = textOf(reference['name']) ?? '';
    return {
      name,
      reference: textOf(reference['reference']) ?? name,
      paths: ownPaths(listOf(reference['paths']), ownPath),
      code: textOf(reference['code']) ?? 'internal',
      problem: textOf(reference['problem']) ?? 'it cannot be resolved',
      nearest: textOf(reference['nearest']) ?? null,
    };
  });
}

function ownPaths(paths: readonly unknown[], ownPath: (path: string) => string): string[] {
  return [...new Set(paths.flatMap((path) => (typeof path === 'string' ? [ownPath(path)] : [])))];
}

/** A JSON object; an empty one in place of anything else. */
export function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}

/** A JSON array; an empty one in place of anything else. */
export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
