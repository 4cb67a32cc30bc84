import type * as z from 'zod';
import { type Caller, subjectOf } from '../access/caller.ts';
import { demand } from '../audit/demand.ts';
import { SecretsError } from '../contract/errors.ts';
import type { rotateSecretRequest, SecretMetadata } from '../contract/secrets.ts';
import { type Encoding, valueBytes } from '../contract/value.ts';
import { fingerprint } from '../envelope/fingerprint.ts';
import { type Change, commitChange, type NewVersion, untilSaved, type WriteNeeds } from './change-secret.ts';
import { type Located, locate } from './locate.ts';
import { readRecord } from './secret-record.ts';
import type { StoredSecret } from './secret-store.ts';
import { demandMove, keptPrevious, mayGoAt, pruneBelow } from './stages.ts';
import { sameVersionOf } from './update-secret.ts';
import type { VersionRecord } from './version-record.ts';

type RotateRequest = Located & z.infer<typeof rotateSecretRequest>;

/**
 * Stores a new version, which is current from now on, or pending when that is asked for; none when the value is that
 * one's already.
 * @throws SecretsError `validation`, `forbidden`, `not_found`, `ambiguous_secret`, `version_conflict`,
 *   `stage_conflict`, `unavailable`
 */
export async function rotateSecret(
  needs: WriteNeeds,
  caller: Caller,
  request: RotateRequest,
): Promise<SecretMetadata> {
  await demand(needs, caller, 'rotate');
  const value = valueBytes('new_value', request.new_value, request.encoding);
  try {
    const print = await fingerprint(needs.keyService, caller.org, value, request.encoding);
    return await untilSaved(async () => {
      const before = await locate(needs, caller, 'rotate', request);
      const record = readRecord(before);
      const { current, pending } = record;
      expectVersion(request.expected_version, current.version);
      const staged = request.stage === 'pending';
      const already = current.fingerprint === print || (staged && pending?.fingerprint === print);
      if (already) return commitChange(needs, caller, unchangedValueOf(before, request.reason));
      demandMove(staged ? 'stage' : 'rotate', record);
      const added = {
        encoding: request.encoding,
        fingerprint: print,
        reason: request.reason ?? 'Manual rotation',
        content: { value },
      };
      const change = staged
        ? stagedVersionOf(needs.now(), caller, before, added, request.keep_previous_for)
        : nextVersionOf(needs.now(), caller, before, added);
      if (staged) return commitChange(needs, caller, change);
      const previous = keptPrevious(needs.now(), current.version, request.keep_previous_for);
      return commitChange(needs, caller, { ...change, record: { ...change.record, previous } });
    });
  } finally {
    value.fill(0);
  }
}

interface AddedVersion {
  readonly encoding: Encoding;
  readonly fingerprint: string;
  readonly reason: string;
  readonly content: NewVersion['content'];
  readonly restores?: VersionRecord | null;
}

/** The change that adds a version and makes it current. */
export function nextVersionOf(now: Date, caller: Caller, before: StoredSecret, added: AddedVersion): Change {
  const change = addedVersionOf(now, caller, before, added, 'current');
  const stamp = { last_rotated: now.toISOString(), last_rotated_by: subjectOf(caller) };
  return { ...change, record: { ...change.record, ...stamp, previous: null } };
}

/** The change that adds a version without making it current. */
export function stagedVersionOf(
  now: Date,
  caller: Caller,
  before: StoredSecret,
  added: AddedVersion,
  keep_previous_for: string | undefined,
): Change {
  const change = addedVersionOf(now, caller, before, added, 'pending');
  const { latest: version } = change.record;
  const pending = {
    version,
    staged_at: now.toISOString(),
    staged_by: subjectOf(caller),
    fingerprint: added.fingerprint,
    keep_previous_for: keep_previous_for ?? null,
  };
  const happening = { action: 'stage', reason: added.reason } as const;
  return { ...change, record: { ...change.record, pending }, happening, touched: [version] };
}

function addedVersionOf(
  now: Date,
  caller: Caller,
  before: StoredSecret,
  { content, restores = null, ...told }: AddedVersion,
  stage: NewVersion['stage'],
): Change {
  const { record, ...change } = sameVersionOf(before, { action: 'rotate' }, 200);
  const stamp = { created_at: now.toISOString(), created_by: subjectOf(caller) };
  const version = record.latest + 1;
  const deep = pruneBelow({ latest: version }) > 1;
  return {
    ...change,
    record: {
      ...record,
      latest: version,
      prune_at: record.prune_at ?? (deep ? mayGoAt(stamp.created_at) : null),
    },
    added: { record: { version, ...told, ...stamp, restores }, content, stage },
    happening: { action: restores === null ? 'rotate' : 'rollback', reason: told.reason },
  };
}

/** The change that leaves everything as it is, since the value that was given is the current one. */
export function unchangedValueOf(before: StoredSecret, reason: string | undefined): Change {
  const happening = { action: 'unchanged', ...(reason === undefined ? {} : { reason }) } as const;
  return { ...sameVersionOf(before, happening, 200), unchanged: true };
}

/** Refuses when the caller saw another version than the current one. @throws SecretsError `version_conflict` */
export function expectVersion(expected: number | undefined, current: number): void {
  if (expected === undefined || expected === current) return;
  throw new SecretsError(
    'version_conflict',
    `The current version is ${current}, not ${expected}. Look again and repeat.`,
  );
}
