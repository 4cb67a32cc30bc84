import { type LeftAlone, whyLeftAlone } from '../../client/left-alone.ts';
import type { Caller } from '../access/caller.ts';
import type { CallerStore } from '../access/caller-store.ts';
import { replayFor } from '../access/replay.ts';
import type { DemandNeeds } from '../audit/demand.ts';
import { auditedSecret, eventOf, type Happening } from '../audit/event.ts';
import type { Trail } from '../audit/outbox.ts';
import type { Coordinates } from '../contract/coordinates.ts';
import { SecretsError } from '../contract/errors.ts';
import type { SecretMetadata } from '../contract/secrets.ts';
import type { Encoding } from '../contract/value.ts';
import type { DataKey } from '../envelope/data-key-loan.ts';
import type { DataKeys } from '../envelope/data-keys.ts';
import type { KeyService } from '../envelope/key-service.ts';
import { nothingKnown, policyDays, type ReminderRecord } from './due.ts';
import { readRecord, type SecretRecord, toMetadata, toStoredSecret } from './secret-record.ts';
import type { SecretStore, StoredSecret, StoredVersion } from './secret-store.ts';
import { tendAt } from './stages.ts';
import { toStoredVersion } from './version-proof.ts';
import { sealRestoringVersion, sealVersion, type VersionRecord } from './version-record.ts';

export interface WriteNeeds extends DemandNeeds {
  readonly secrets: SecretStore;
  readonly dataKeys: DataKeys;
  /** For the rotation policies of the organization. */
  readonly callers: Pick<CallerStore<Trail>, 'findOrganization'>;
  readonly keyService: Pick<KeyService, 'mac'>;
  /** The environments that this deployment knows. */
  readonly environments: readonly string[];
}

/** The version that a change adds: what it is, and its value or the envelope of an old one. */
export interface NewVersion {
  readonly record: Omit<VersionRecord, 'data_key'>;
  readonly content: { readonly value: Buffer } | { readonly restored: Buffer };
  /** Stored without going live when it is `pending`. */
  readonly stage: 'current' | 'pending';
}

export interface Change {
  readonly at: Coordinates;
  /** The secret as it was read; null when the change creates it. */
  readonly before: StoredSecret | null;
  readonly record: Omit<SecretRecord, 'format' | 'revision' | 'data_key' | 'current' | 'reminder'> & {
    /** What was known before; a new version begins anew. */
    readonly reminder?: ReminderRecord;
  };
  /** The version that is current when the change adds none that is. */
  readonly current: VersionRecord | null;
  readonly added: NewVersion | null;
  /** The envelope of `current`, when another version than before becomes it. */
  readonly promoted?: Buffer;
  /** The numbers of versions that go for good. */
  readonly removed?: readonly number[];
  /** The versions that the record of it names; the current one when absent. */
  readonly touched?: readonly number[];
  readonly happening: Pick<Happening, 'action' | 'reason' | 'outcome'>;
  readonly status: number;
  /** Set when the value that was given is the current one, so that no version is added. */
  readonly unchanged?: true;
}

/**
 * Writes a change of a secret with its audit event, at once.
 * @returns the new metadata; null when the secret was changed since it was read: read again
 * @throws SecretsError `idempotency_conflict`, `unavailable`
 */
export async function commitChange(
  needs: WriteNeeds,
  caller: Caller,
  change: Change,
): Promise<SecretMetadata | null> {
  const { at, before } = change;
  const dedicated = change.record.isolation === 'dedicated';
  const reminder = await reminderOf(needs, caller, change);
  using key = await needs.dataKeys.forSealing(caller.org, at.environment, dedicated);
  const { current, sealed, added } = await nextVersion(needs, caller, change, key);
  const revision = (before?.revision ?? 0) + 1;
  const record = { format: 1 as const, revision, ...change.record, reminder, current };
  const described = toMetadata(caller, at, record, before?.last_accessed_at ?? null);
  const unchanged = change.unchanged === true ? { unchanged: true as const } : {};
  const metadata = { ...described, ...unchanged, ...warningsOf(change.added) };
  const answer = change.status === 204 ? '' : JSON.stringify(metadata);
  const touched = change.touched ?? [current.version];
  const secrets = (touched.length === 0 ? [undefined] : touched).map((version) =>
    auditedSecret(at, version, revision),
  );
  const tend_at = tendAt(record);
  const tended = before === null ? null : tendAt(readRecord(before));
  const saved = await needs.secrets.save({
    org: caller.org,
    secret: toStoredSecret(caller.org, at, record, sealed, key),
    added,
    ...(change.removed === undefined ? {} : { removed: change.removed }),
    ...(tend_at === tended ? {} : { tend_at }),
    expected_revision: before?.revision ?? 0,
    trail: {
      event: eventOf(needs, caller, { ...change.happening, secrets }),
      replay: replayFor(caller, needs.now(), change.status, answer),
    },
  });
  return saved ? metadata : null;
}

const untold: Readonly<Record<LeftAlone, string>> = {
  short: 'The value has less than 8 characters: it is not taken out of logs and outputs.',
  common: 'The value stands in many texts: it is not taken out of logs and outputs.',
};

/** What redaction cannot do for a new value. */
function warningsOf(added: NewVersion | null): Pick<SecretMetadata, 'warnings'> {
  if (added === null || !('value' in added.content)) return {};
  const reason = whyLeftAlone(valueAsText(added.content.value, added.record.encoding));
  return reason === null ? {} : { warnings: [untold[reason]] };
}

/** Bytes character by character: base64 would tell of more of them. */
function valueAsText(value: Buffer, encoding: Encoding): string {
  return value.toString(encoding === 'utf8' ? 'utf8' : 'latin1');
}

/** What reminders know after a change: of a new version nothing, but what the policies say. */
async function reminderOf(needs: WriteNeeds, { org }: Caller, change: Change): Promise<ReminderRecord> {
  const organization = await needs.callers.findOrganization(org);
  const policy_days = policyDays(organization?.rotation_policies ?? [], change.record.metadata);
  const before = goesLive(change) ? nothingKnown : (change.record.reminder ?? nothingKnown);
  return { ...before, policy_days };
}

/** Whether another version is current after a change. */
function goesLive({ added, promoted }: Change): boolean {
  return promoted !== undefined || added?.stage === 'current';
}

async function nextVersion(
  { keyService }: WriteNeeds,
  { org }: Caller,
  { at, before, current, added, promoted }: Change,
  key: DataKey,
): Promise<{ current: VersionRecord; sealed: Buffer; added: StoredVersion | null }> {
  const kept = () => {
    if (current === null || before === null)
      throw new TypeError('a change without a new current version needs an old one');
    return { current, sealed: promoted ?? before.sealed };
  };
  if (added === null) return { ...kept(), added: null };
  const version: VersionRecord = { ...added.record, data_key: key.id };
  const sealed =
    'value' in added.content
      ? sealVersion(org, at, version, added.content.value, key)
      : sealRestoringVersion(org, at, version, added.content.restored, key);
  const stored = await toStoredVersion(keyService, org, at, version, sealed);
  return added.stage === 'pending'
    ? { ...kept(), added: stored }
    : { current: version, sealed, added: stored };
}

const MAX_ATTEMPTS = 200;

/**
 * Repeats an attempt until it was saved. Each attempt reads afresh, so of many writers one wins in every
 * round and none is lost.
 * @throws SecretsError `version_conflict` when others won every time
 */
export async function untilSaved<T>(attempt: () => Promise<T | null>): Promise<T> {
  for (let attempts = 0; attempts < MAX_ATTEMPTS; attempts++) {
    const saved = await attempt();
    if (saved !== null) return saved;
  }
  throw new SecretsError(
    'version_conflict',
    'Others kept changing this secret. Nothing was written; try again.',
  );
}
