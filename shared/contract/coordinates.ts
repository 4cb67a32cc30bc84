import * as z from 'zod';
import { invalid } from './errors.ts';
import {
  type EnvironmentName,
  environmentName,
  type PipelineId,
  pipelineId,
  type SecretName,
  type UserId,
  userId,
} from './ids.ts';

/** Who a secret serves: the whole organization, one pipeline, or one user's pipelines. */
export type Scope =
  | { readonly scope: 'org' }
  | { readonly scope: 'pipeline'; readonly pipeline_id: PipelineId }
  | { readonly scope: 'user'; readonly user: UserId };

/** What identifies a secret within its organization. `environment: null` serves every environment. */
export type Coordinates = Scope & {
  readonly name: SecretName;
  readonly environment: EnvironmentName | null;
};

export const scopeName = z.enum(['org', 'pipeline', 'user']);

/** The parts of a scope as they cross the wire; {@link toScope} makes a {@link Scope} of them. */
export const scopeFields = {
  scope: scopeName
    .default('org')
    .meta({ description: 'Who may use it: the organization, one pipeline, or one user’s pipelines.' }),
  pipeline_id: pipelineId.optional().meta({ description: 'The pipeline, when the scope is `pipeline`.' }),
  user: userId.optional().meta({ description: 'The user, when the scope is `user`.' }),
};

/** Which secret of a name is meant, in the query of every `/secrets/{name}` route. */
export const selector = z.strictObject({
  scope: scopeName.optional(),
  pipeline_id: pipelineId.optional(),
  user: userId.optional(),
  environment: z
    .union([z.literal('none'), environmentName])
    .optional()
    .meta({ description: 'An environment, or `none` for the secret that serves every environment.' }),
});
export type Selector = z.infer<typeof selector>;

/**
 * Makes a scope of its loose parts.
 * @throws SecretsError `validation` when a part is missing or belongs to another scope.
 */
export function toScope(parts: {
  scope: 'org' | 'pipeline' | 'user';
  pipeline_id?: PipelineId | undefined;
  user?: UserId | undefined;
}): Scope {
  if (parts.pipeline_id !== undefined && parts.scope !== 'pipeline') {
    throw invalid('pipeline_id', 'is taken only with scope pipeline');
  }
  if (parts.user !== undefined && parts.scope !== 'user')
    throw invalid('user', 'is taken only with scope user');
  switch (parts.scope) {
    case 'org':
      return { scope: 'org' };
    case 'pipeline':
      if (parts.pipeline_id === undefined) throw invalid('pipeline_id', 'is required with scope pipeline');
      return { scope: 'pipeline', pipeline_id: parts.pipeline_id };
    case 'user':
      if (parts.user === undefined) throw invalid('user', 'is required with scope user');
      return { scope: 'user', user: parts.user };
  }
}

/** The pipeline or user that a scope belongs to; empty for the organization. */
function ownerOf(scope: Scope): string {
  switch (scope.scope) {
    case 'org':
      return '';
    case 'pipeline':
      return scope.pipeline_id;
    case 'user':
      return scope.user;
  }
}

/**
 * Coordinates as one store key: `name#scope#environment#owner`. No `#` can occur in any part, so the
 * encoding is unambiguous; `#` sorts before every character of a name, so keys sort by name.
 */
export function coordinatesKey(at: Coordinates): string {
  return `${at.name}#${at.scope}#${at.environment ?? ''}#${ownerOf(at)}`;
}

/** The inverse of {@link coordinatesKey}; the key comes from our own store, so its parts are not checked again. */
export function coordinatesFromKey(key: string): Coordinates {
  const [name, scope, environment, owner] = key.split('#');
  const at = { name: name as SecretName, environment: environment ? (environment as EnvironmentName) : null };
  if (scope === 'pipeline') return { ...at, scope, pipeline_id: owner as PipelineId };
  if (scope === 'user') return { ...at, scope, user: owner as UserId };
  return { ...at, scope: 'org' };
}

/** Whether a selector leaves these coordinates in. */
export function selects(by: Selector, at: Coordinates): boolean {
  if (by.scope !== undefined && by.scope !== at.scope) return false;
  if (by.pipeline_id !== undefined && !(at.scope === 'pipeline' && at.pipeline_id === by.pipeline_id))
    return false;
  if (by.user !== undefined && !(at.scope === 'user' && at.user === by.user)) return false;
  return by.environment === undefined || (at.environment ?? 'none') === by.environment;
}

/** Coordinates in the words of the API, absent parts as `null`. */
export function describeCoordinates(at: Coordinates) {
  return {
    scope: at.scope,
    pipeline_id: at.scope === 'pipeline' ? at.pipeline_id : null,
    user: at.scope === 'user' ? at.user : null,
    environment: at.environment,
  };
}

/** The coordinates that may serve a name where a config is resolved, the one that wins first. */
export function coordinatesFor(
  name: SecretName,
  place: {
    readonly environment: EnvironmentName;
    readonly pipeline_id: PipelineId | null;
    readonly user: UserId | null;
  },
): Coordinates[] {
  const { environment, pipeline_id, user } = place;
  const scopes: Scope[] = [
    ...(pipeline_id === null ? [] : [{ scope: 'pipeline', pipeline_id } as const]),
    ...(user === null ? [] : [{ scope: 'user', user } as const]),
    { scope: 'org' },
  ];
  return scopes.flatMap((scope) => [
    { ...scope, name, environment },
    { ...scope, name, environment: null },
  ]);
}
