import type * as z from 'zod';
import type { Caller } from '../access/caller.ts';
import { demand } from '../audit/demand.ts';
import { type Coordinates, coordinatesKey } from '../contract/coordinates.ts';
import { invalid } from '../contract/errors.ts';
import type { SecretName } from '../contract/ids.ts';
import type { putSecretRequest, SecretMetadata } from '../contract/secrets.ts';
import { valueBytes } from '../contract/value.ts';
import { fingerprint } from '../envelope/fingerprint.ts';
import { commitChange, untilSaved, type WriteNeeds } from './change-secret.ts';
import { coordinatesOf, firstVersion, taken } from './create-secret.ts';
import { expectVersion, nextVersionOf, unchangedValueOf } from './rotate-secret.ts';
import { readRecord } from './secret-record.ts';
import type { StoredSecret } from './secret-store.ts';
import { demandMove } from './stages.ts';

type PutRequest = z.infer<typeof putSecretRequest> & { readonly name: SecretName };

/**
 * Stores a secret, or a new version where there is one. What is not given keeps its old description,
 * metadata and rotation period.
 * @throws SecretsError `validation`, `forbidden`, `secret_deleted`, `version_conflict`, `unavailable`
 */
export async function putSecret(
  needs: WriteNeeds,
  caller: Caller,
  request: PutRequest,
): Promise<{ created: boolean; metadata: SecretMetadata }> {
  const at = await placeOf(needs, caller, request);
  await demand(needs, caller, 'create', at);
  const value = valueBytes('value', request.value, request.encoding);
  try {
    const print = await fingerprint(needs.keyService, caller.org, value, request.encoding);
    const given = { value, fingerprint: print };
    return await untilSaved(async () => {
      const [existing] = await needs.secrets.findMany(caller.org, [at]);
      if (existing !== undefined) return addVersion(needs, caller, existing, request, given);
      if (request.expected_version !== undefined)
        throw invalid('expected_version', 'is of a secret that does not exist');
      const metadata = await commitChange(
        needs,
        caller,
        firstVersion(needs.now(), caller, at, request, given),
      );
      return metadata === null ? null : { created: true, metadata };
    });
  } finally {
    value.fill(0);
  }
}

/**
 * Where to put it. Without an environment it is the one secret of this name and scope, if there is one, whatever
 * environment that serves: who sets `openai_api_key` again does not mean to have two of them.
 */
export async function placeOf(
  needs: Pick<WriteNeeds, 'secrets' | 'environments'>,
  { org }: Caller,
  request: Parameters<typeof coordinatesOf>[2] & { readonly name: SecretName },
): Promise<Coordinates> {
  const at = coordinatesOf(needs, request.name, request);
  if (at.environment !== null || request.environment === 'none') return at;
  const [only, ...others] = (await needs.secrets.findByName(org, at.name)).filter(
    (stored) =>
      stored.deleted_at === null &&
      coordinatesKey(stored.at) === coordinatesKey({ ...at, environment: stored.at.environment }),
  );
  return only === undefined || others.length > 0 ? at : only.at;
}

async function addVersion(
  needs: WriteNeeds,
  caller: Caller,
  existing: StoredSecret,
  request: PutRequest,
  { value, fingerprint: print }: { readonly value: Buffer; readonly fingerprint: string },
): Promise<{ created: false; metadata: SecretMetadata } | null> {
  if (existing.deleted_at !== null) throw taken(existing);
  const before = readRecord(existing);
  const { current, isolation: isolated } = before;
  expectVersion(request.expected_version, current.version);
  const { description, metadata, rotation_days, isolation = isolated } = request;
  // Another isolation asks for another data key, so the same value is sealed anew.
  const same = current.fingerprint === print && isolation === isolated;
  if (!same) demandMove('rotate', before);
  const change = same
    ? unchangedValueOf(existing, request.reason)
    : nextVersionOf(needs.now(), caller, existing, {
        encoding: request.encoding,
        fingerprint: print,
        reason: request.reason ?? 'Set again',
        content: { value },
      });
  const given = { description, metadata, rotation_days, isolation };
  const record = { ...change.record, ...definedOnly(given) };
  const described = same && JSON.stringify(record) !== JSON.stringify(change.record);
  const happening = described ? { ...change.happening, action: 'update' as const } : change.happening;
  const updated = await commitChange(needs, caller, { ...change, record, happening });
  return updated === null ? null : { created: false, metadata: updated };
}

/** The fields that were given, so that the others keep what they were. */
function definedOnly<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, field]) => field !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
