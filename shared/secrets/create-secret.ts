import type * as z from 'zod';
import { type Caller, subjectOf } from '../access/caller.ts';
import { demand } from '../audit/demand.ts';
import { type Coordinates, toScope } from '../contract/coordinates.ts';
import { invalid, SecretsError } from '../contract/errors.ts';
import { type EnvironmentName, environmentName, type SecretName } from '../contract/ids.ts';
import type { createSecretRequest, SecretMetadata } from '../contract/secrets.ts';
import { valueBytes } from '../contract/value.ts';
import { fingerprint } from '../envelope/fingerprint.ts';
import { type Change, commitChange, type WriteNeeds } from './change-secret.ts';

type CreateRequest = z.infer<typeof createSecretRequest>;
type Described = Pick<CreateRequest, 'scope' | 'pipeline_id' | 'user' | 'environment'> &
  Partial<Pick<CreateRequest, 'metadata'>>;

/**
 * Stores a secret's first version.
 * @throws SecretsError `validation`, `forbidden`, `secret_exists`, `secret_deleted`, `unavailable`
 */
export async function createSecret(
  needs: WriteNeeds,
  caller: Caller,
  request: CreateRequest,
): Promise<SecretMetadata> {
  const at = coordinatesOf(needs, request.name, request);
  await demand(needs, caller, 'create', at);
  const [existing] = await needs.secrets.findMany(caller.org, [at]);
  if (existing !== undefined) throw taken(existing);
  const value = valueBytes('value', request.value, request.encoding);
  try {
    const print = await fingerprint(needs.keyService, caller.org, value, request.encoding);
    const change = firstVersion(needs.now(), caller, at, request, { value, fingerprint: print });
    const created = await commitChange(needs, caller, change);
    if (created === null) throw taken({ deleted_at: null });
    return created;
  } finally {
    value.fill(0);
  }
}

/** The change that stores a first version. */
export function firstVersion(
  now: Date,
  caller: Caller,
  at: Coordinates,
  request: Pick<CreateRequest, 'description' | 'metadata' | 'rotation_days' | 'isolation' | 'encoding'> & {
    readonly reason?: string | undefined;
  },
  { value, fingerprint }: { readonly value: Buffer; readonly fingerprint: string },
): Change {
  const stamp = { created_at: now.toISOString(), created_by: subjectOf(caller) };
  const reason = request.reason ?? 'Initial creation';
  return {
    at,
    before: null,
    record: {
      description: request.description ?? null,
      metadata: request.metadata ?? {},
      rotation_days: request.rotation_days ?? null,
      isolation: request.isolation ?? 'shared',
      ...stamp,
      last_rotated: null,
      last_rotated_by: null,
      deleted_at: null,
      purge_at: null,
      latest: 1,
      previous: null,
      pending: null,
      abandoned: [],
      prune_at: null,
      rotator: null,
      rotation: null,
    },
    current: null,
    added: {
      record: { version: 1, encoding: request.encoding, fingerprint, ...stamp, reason, restores: null },
      content: { value },
      stage: 'current',
    },
    happening: { action: 'create' },
    status: 201,
  };
}

/**
 * Where a secret shall stand. Where no environment is given, `metadata.environment` is taken for it.
 * @throws SecretsError `validation`
 */
export function coordinatesOf(
  { environments }: Pick<WriteNeeds, 'environments'>,
  name: SecretName,
  request: Described,
): Coordinates {
  const scope = toScope(request);
  if (request.environment === 'none') return { ...scope, name, environment: null };
  if (request.environment !== undefined) {
    return { ...scope, name, environment: known(environments, 'environment', request.environment) };
  }
  const implied = request.metadata?.['environment'];
  if (implied === undefined || implied === null) return { ...scope, name, environment: null };
  return { ...scope, name, environment: known(environments, 'metadata.environment', String(implied)) };
}

/** An environment that this deployment knows. @throws SecretsError `validation` */
export function known(environments: readonly string[], field: string, environment: string): EnvironmentName {
  const parsed = environmentName.safeParse(environment);
  if (parsed.success && environments.includes(parsed.data)) return parsed.data;
  throw invalid(field, `must be one of ${environments.join(', ')}`);
}

/** The refusal of coordinates that a secret holds already. */
export function taken({ deleted_at }: { deleted_at: string | null }): SecretsError {
  if (deleted_at !== null) {
    return new SecretsError(
      'secret_deleted',
      'Restore it, or delete it for good with recovery_days=0 first.',
    );
  }
  return new SecretsError(
    'secret_exists',
    'Rotate it to store a new value, or choose another name or environment.',
  );
}
