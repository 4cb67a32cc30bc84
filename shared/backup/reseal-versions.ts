import type { CallerStore } from '../access/caller-store.ts';
import { auditedSecret } from '../audit/event.ts';
import type { Trail } from '../audit/outbox.ts';
import type { Coordinates } from '../contract/coordinates.ts';
import { SecretsError } from '../contract/errors.ts';
import type { OrganizationId } from '../contract/ids.ts';
import type { DataKey } from '../envelope/data-key-loan.ts';
import type { DataKeyStore, DataKeys } from '../envelope/data-keys.ts';
import type { KeyService } from '../envelope/key-service.ts';
import { readRecord, toStoredSecret, verifyHead } from '../secrets/secret-record.ts';
import type { SecretStore, StoredSecret } from '../secrets/secret-store.ts';
import { toStoredVersion } from '../secrets/version-proof.ts';
import {
  openVersion,
  readVersion,
  sealRestoringVersion,
  sealVersion,
  type VersionRecord,
} from '../secrets/version-record.ts';

interface Needs {
  readonly secrets: SecretStore;
  readonly callers: Pick<CallerStore<Trail>, 'listOrganizations'>;
  readonly dataKeys: DataKeys;
  readonly dataKeyStore: Pick<DataKeyStore, 'find'>;
  readonly keyService: Pick<KeyService, 'mac'>;
  readonly now: () => Date;
  readonly newId: () => string;
}

/** Which versions, and whether it is done. */
interface Choice {
  /** Those whose data key was made before this moment; RFC 3339, not later than now. */
  readonly before: string;
  /** Else nothing is written. */
  readonly apply: boolean;
  readonly onVersion?: () => void;
}

const PAGE = 100;

/**
 * Seals versions anew, under data keys that are made now: what was sealed under old ones is opened by them no more. Each
 * is a write of its own, with its record; one that another writer overtook is read again. Interrupted, it is done again
 * with the same moment, and goes on with those that are left.
 * @returns how many versions there are, and how many of them were to be sealed anew
 * @throws SecretsError `validation`; `decryption_failed` when one does not open; `unavailable`
 */
export async function resealVersions(
  needs: Needs,
  choice: Choice,
): Promise<{ readonly versions: number; readonly resealed: number }> {
  if (!(Date.parse(choice.before) <= needs.now().getTime()))
    throw new SecretsError('validation', 'The moment must be a time (RFC 3339) that is over.');
  const counts = { versions: 0, resealed: 0 };
  for await (const { org, at } of everySecret(needs)) await resealSecret(needs, choice, org, at, counts);
  return counts;
}

async function* everySecret({ callers, secrets }: Needs) {
  for (let after: string | undefined; ; ) {
    const page = await callers.listOrganizations(PAGE, after);
    for (const { id: org } of page.items) {
      for (let from: string | undefined; ; ) {
        const some = await secrets.list(org, { prefix: '', after: from, limit: PAGE });
        for (const { at } of some.items) yield { org, at };
        from = some.next;
        if (from === undefined) break;
      }
    }
    after = page.next;
    if (after === undefined) return;
  }
}

async function resealSecret(
  needs: Needs,
  { before, apply, onVersion }: Choice,
  org: OrganizationId,
  at: Coordinates,
  counts: { versions: number; resealed: number },
): Promise<void> {
  for (let below: number | undefined; ; ) {
    const page = await needs.secrets.versions(org, at, { limit: PAGE, below });
    counts.versions += page.items.length;
    for (const stored of page.items) {
      if (!(await isOlder(needs, org, readVersion(stored), before))) continue;
      counts.resealed += 1;
      while (apply && !(await resealOne(needs, org, at, stored.version))) {
        // Somebody wrote the secret meanwhile: it is read again.
      }
      onVersion?.();
    }
    if (page.next === undefined) return;
    below = Number(page.next);
  }
}

/** Whether one of the data keys that a version is sealed under was made before a moment. */
async function isOlder(
  { dataKeyStore }: Needs,
  org: OrganizationId,
  { data_key, restores }: VersionRecord,
  before: string,
): Promise<boolean> {
  const ids = restores === null ? [data_key] : [data_key, restores.data_key];
  const keys = await dataKeyStore.find(org, ids);
  return keys.some(({ created_at }) => Date.parse(created_at) < Date.parse(before));
}

/** @returns false when the secret was changed since it was read */
async function resealOne(
  needs: Needs,
  org: OrganizationId,
  at: Coordinates,
  number: number,
): Promise<boolean> {
  const [head] = await needs.secrets.findMany(org, [at]);
  const [stored] = await needs.secrets.findVersions(org, [{ at, version: number }]);
  // Removed meanwhile: nothing is left to seal.
  if (head === undefined || stored === undefined) return true;
  const record = readRecord(head);
  const version = readVersion(stored);
  const dedicated = record.isolation === 'dedicated';
  const names = [record.data_key, version.data_key, version.restores?.data_key].flatMap((id) =>
    id === undefined ? [] : [{ id, environment: at.environment, dedicated }],
  );
  using keys = await needs.dataKeys.forOpening(org, names);
  verifyHead(org, head, keys.get(record.data_key));
  const value = openVersion(org, at, version, stored.sealed, (id) => keys.get(id));
  using key = await needs.dataKeys.forSealing(org, at.environment, dedicated);
  try {
    const anew = sealAnew(org, at, version, value, key);
    return await save(needs, org, head, anew, key);
  } finally {
    value.fill(0);
  }
}

interface Anew {
  readonly record: VersionRecord;
  readonly sealed: Buffer;
}

/** The same version, but for what it is sealed under; one that brings another back carries that one's envelope still. */
function sealAnew(
  org: OrganizationId,
  at: Coordinates,
  version: VersionRecord,
  value: Buffer,
  key: DataKey,
): Anew {
  if (version.restores === null) {
    const record = { ...version, data_key: key.id };
    return { record, sealed: sealVersion(org, at, record, value, key) };
  }
  const restored = sealAnew(org, at, version.restores, value, key);
  const record = { ...version, data_key: key.id, restores: restored.record };
  return { record, sealed: sealRestoringVersion(org, at, record, restored.sealed, key) };
}

async function save(
  { secrets, keyService, now, newId }: Needs,
  org: OrganizationId,
  head: StoredSecret,
  { record: version, sealed }: Anew,
  key: DataKey,
): Promise<boolean> {
  const { at } = head;
  const { data_key: _, ...before } = readRecord(head);
  const isCurrent = before.current.version === version.version;
  const revision = head.revision + 1;
  const record = { ...before, revision, ...(isCurrent ? { current: version } : {}) };
  const what = {
    id: newId(),
    org,
    timestamp: now().toISOString(),
    action: 'reseal',
    outcome: 'success',
  } as const;
  const touched = auditedSecret(at, version.version, revision);
  return secrets.save({
    org,
    secret: toStoredSecret(org, at, record, isCurrent ? sealed : head.sealed, key),
    added: null,
    resealed: await toStoredVersion(keyService, org, at, version, sealed),
    expected_revision: head.revision,
    trail: { event: { ...what, secrets: [touched], user: 'fm admin' }, replay: null },
  });
}
