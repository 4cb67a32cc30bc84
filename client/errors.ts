/** What can go wrong, as types. No error of this package ever holds a value or the text of an answer. */

/** What an error tells besides its message. */
export interface ErrorFacts {
  /** The server's stable problem code, for example `unresolved_references`; for errors of ours, one like it. */
  readonly code?: string | undefined;
  /** The HTTP status, when a server answered. */
  readonly status?: number | undefined;
  /** Names the request in the server's log. */
  readonly requestId?: string | undefined;
}

/** The base of them all. */
export class SecretsError extends Error {
  override readonly name: string = 'SecretsError';
  readonly code: string;
  readonly status: number | undefined;
  readonly requestId: string | undefined;

  constructor(
    message: string,
    { code = 'internal', status, requestId }: ErrorFacts = {},
    lines: string[] = [],
  ) {
    const request = requestId === undefined ? '' : ` (request ${requestId})`;
    super([message + request, ...lines].join('\n'));
    this.code = code;
    this.status = status;
    this.requestId = requestId;
  }
}

/** The settings do not say which server, or name one that is not safe to talk to. */
export class SettingsError extends SecretsError {
  override readonly name = 'SettingsError';

  constructor(message: string) {
    super(message, { code: 'settings' });
  }
}

/** This way to the server has no such operation. */
export class UnsupportedError extends SecretsError {
  override readonly name = 'UnsupportedError';

  constructor(message: string) {
    super(message, { code: 'unsupported' });
  }
}

/** One reference that cannot be filled. */
export interface FailedReference {
  readonly name: string;
  /** As written after `secrets.`, for example `db@7.password`. */
  readonly reference: string;
  /** Every place that names it, for example `$.stages[0].config.api_key`. */
  readonly paths: readonly string[];
  /**
   * Why, as the server codes it: `not_found`, `no_such_version`, `no_previous_version`, `not_json`,
   * `no_such_field`, `field_too_deep`, `line_break_in_header`.
   */
  readonly code: string;
  /** The same in words. */
  readonly problem: string;
  /** The nearest name that would resolve. */
  readonly nearest: string | null;
}

/** Some references cannot be filled, so nothing was returned. `references` lists every one of them. */
export class UnresolvedReferencesError extends SecretsError {
  override readonly name: string = 'UnresolvedReferencesError';
  readonly references: readonly FailedReference[];

  constructor(message: string, references: readonly FailedReference[], facts: ErrorFacts = {}) {
    super(message, { code: 'unresolved_references', ...facts }, references.map(lineOf));
    this.references = references;
  }

  /** Every place of the config that names one of them. */
  get paths(): readonly string[] {
    return this.references.flatMap(({ paths }) => paths);
  }

  /** The names, once each. */
  get names(): readonly string[] {
    return [...new Set(this.references.map(({ name }) => name))];
  }

  /** For a name that means nothing here, the nearest one that does. */
  get nearest(): ReadonlyMap<string, string> {
    return new Map(
      this.references.flatMap(({ name, nearest }) => (nearest === null ? [] : [[name, nearest] as const])),
    );
  }
}

function lineOf({ reference, paths, problem, nearest }: FailedReference): string {
  const hint = nearest === null ? '' : `; did you mean ${nearest}?`;
  return `  {{secrets.${reference}}} at ${paths.join(', ')}: ${problem}${hint}`;
}

/** No secret of that name, or no such version of it, serves this pipeline, user and environment. */
export class SecretNotFoundError extends UnresolvedReferencesError {
  override readonly name = 'SecretNotFoundError';
}

/** A name or a reference that the grammar does not allow. `paths` says where, when it stood in a config. */
export class InvalidReferenceError extends SecretsError {
  override readonly name = 'InvalidReferenceError';
  readonly paths: readonly string[];

  constructor(message: string, paths: readonly string[] = [], facts: ErrorFacts = {}) {
    super(message, { code: 'validation', ...facts });
    this.paths = paths;
  }
}

/** The config is too deep or too large, has too many references, or its answer would be too large. */
export class LimitExceededError extends SecretsError {
  override readonly name = 'LimitExceededError';
}

/** The credential may not do that, or was not accepted. Nothing is kept in the cache after it. */
export class AccessDeniedError extends SecretsError {
  override readonly name: string = 'AccessDeniedError';

  constructor(message: string, facts: ErrorFacts = {}) {
    super(message, { code: 'forbidden', ...facts });
  }
}

/** The credential was not accepted: unknown, revoked, expired, or of a run that has ended. */
export class UnauthenticatedError extends AccessDeniedError {
  override readonly name = 'UnauthenticatedError';

  constructor(message: string, facts: ErrorFacts = {}) {
    super(message, { code: 'unauthenticated', ...facts });
  }
}

/** The server could not be reached, or could not answer safely, however often it was asked. */
export class UnavailableError extends SecretsError {
  override readonly name = 'UnavailableError';
  /** Seconds after which the server asked to be asked again. */
  readonly retryAfter: number | undefined;

  constructor(message: string, facts: ErrorFacts = {}, retryAfter?: number) {
    super(message, { code: 'unavailable', ...facts });
    this.retryAfter = retryAfter;
  }
}

/** Throw this from a function given to `use` when the other side refused the value that it was called with. */
export class AuthenticationFailedError extends Error {
  override readonly name = 'AuthenticationFailedError';
}
