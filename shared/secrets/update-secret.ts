import type * as z from 'zod';
import type { Caller } from '../access/caller.ts';
import type { Coordinates } from '../contract/coordinates.ts';
import { invalid } from '../contract/errors.ts';
import type { SecretMetadata, updateSecretRequest } from '../contract/secrets.ts';
import { type Change, commitChange, untilSaved, type WriteNeeds } from './change-secret.ts';
import { type Located, locate } from './locate.ts';
import { readRecord } from './secret-record.ts';
import type { StoredSecret } from './secret-store.ts';

type UpdateRequest = Located & z.infer<typeof updateSecretRequest>;

/**
 * Changes what describes a secret; its value and version stay.
 * @throws SecretsError `validation`, `forbidden`, `not_found`, `ambiguous_secret`, `unavailable`
 */
export async function updateSecret(
  needs: WriteNeeds,
  caller: Caller,
  request: UpdateRequest,
): Promise<SecretMetadata> {
  return untilSaved(async () => {
    const before = await locate(needs, caller, 'update', request);
    const change = sameVersionOf(before, { action: 'update' }, 200);
    const { description, metadata, rotation_days } = request;
    if (metadata !== undefined) refuseOtherEnvironment(before.at, metadata);
    return commitChange(needs, caller, {
      ...change,
      record: {
        ...change.record,
        ...(description === undefined ? {} : { description }),
        ...(metadata === undefined ? {} : { metadata }),
        ...(rotation_days === undefined ? {} : { rotation_days }),
      },
    });
  });
}

/** The change that keeps the current version. */
export function sameVersionOf(before: StoredSecret, happening: Change['happening'], status: number): Change {
  const { current, format: _format, revision: _revision, data_key: _key, ...record } = readRecord(before);
  return { at: before.at, before, record, current, added: null, happening, status };
}

/** `metadata.environment` said where a secret stands when it was created; it must not come to say otherwise. */
function refuseOtherEnvironment(
  { environment }: Coordinates,
  metadata: Readonly<Record<string, unknown>>,
): void {
  const said = metadata['environment'];
  if (said === undefined || environment === null || said === environment) return;
  throw invalid(
    'metadata.environment',
    `must stay ${environment}: create the secret in the other environment instead`,
  );
}
