/** What can go wrong, once: each code with the HTTP status and the title that a user sees. */
export const problems = {
  malformed_request: { status: 400, title: 'The request could not be read' },
  unauthenticated: { status: 401, title: 'No valid credential was presented' },
  forbidden: { status: 403, title: 'This credential may not do that' },
  not_found: { status: 404, title: 'There is no such thing here' },
  method_not_allowed: { status: 405, title: 'This path does not take that method' },
  secret_exists: { status: 409, title: 'A secret with these coordinates exists' },
  secret_deleted: { status: 409, title: 'A deleted secret holds these coordinates' },
  ambiguous_secret: { status: 409, title: 'More than one secret matches' },
  stage_conflict: { status: 409, title: 'The secret is in a stage that does not allow that' },
  version_conflict: { status: 409, title: 'The secret was changed meanwhile' },
  organization_exists: { status: 409, title: 'An organization of this name exists' },
  run_exists: { status: 409, title: 'A run with this id exists' },
  idempotency_conflict: { status: 409, title: 'This Idempotency-Key was used before' },
  body_too_large: { status: 413, title: 'The request is too large' },
  config_too_large: { status: 413, title: 'The config is too large' },
  answer_too_large: { status: 413, title: 'The resolved config would be too large' },
  unsupported_media_type: { status: 415, title: 'The body must be JSON' },
  validation: { status: 422, title: 'The request is not valid' },
  config_too_deep: { status: 422, title: 'The config is nested too deeply' },
  too_many_references: { status: 422, title: 'The config has too many references' },
  unresolved_references: { status: 422, title: 'Some references cannot be resolved' },
  rate_limited: { status: 429, title: 'This credential asks too often' },
  decryption_failed: { status: 500, title: 'A stored secret could not be opened' },
  internal: { status: 500, title: 'Something went wrong here' },
  unavailable: { status: 503, title: 'The service cannot answer safely now' },
} as const satisfies Record<string, { status: number; title: string }>;

export type ProblemCode = keyof typeof problems;

/** Why a reference of a config cannot be filled; stable, as the sentence beside it is not. */
export const referenceCodes = [
  'not_found',
  'no_such_version',
  'no_previous_version',
  'no_pending_version',
  'not_json',
  'no_such_field',
  'field_too_deep',
  'line_break_in_header',
] as const;

/** A reference that cannot be filled: why, and in words for the user, which never quote the value. */
export interface ReferenceProblem {
  readonly code: (typeof referenceCodes)[number];
  readonly problem: string;
}

/** One thing wrong with the input: where, and which rule it breaks. Never the value itself. */
export interface InputError {
  readonly path: string;
  readonly message: string;
}

/**
 * The only error that the house throws on purpose. `detail` says what to do next and reaches the user, so
 * it names fields and rules and never repeats input that could be a value.
 */
export class SecretsError extends Error {
  override readonly name = 'SecretsError';
  readonly code: ProblemCode;
  readonly errors: readonly InputError[] | undefined;
  /** Further members of the problem document, for example the candidates of an ambiguous name. */
  readonly members: Readonly<Record<string, unknown>>;

  constructor(
    code: ProblemCode,
    detail: string,
    more: { errors?: readonly InputError[]; members?: Readonly<Record<string, unknown>> } = {},
  ) {
    super(detail);
    this.code = code;
    this.errors = more.errors;
    this.members = more.members ?? {};
  }
}

/** A refusal of one field, in the shape of every other input error. */
export function invalid(path: string, message: string): SecretsError {
  return new SecretsError('validation', `${path}: ${message}`, { errors: [{ path, message }] });
}

/** The stable identifier of a problem (RFC 9457 `type`), for example `urn:flowmason:problem:not-found`. */
export function problemType(code: ProblemCode): string {
  return `urn:flowmason:problem:${code.replaceAll('_', '-')}`;
}
