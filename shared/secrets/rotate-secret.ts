import type * as z from 'zod';
import { type Caller, subjectOf } from '../access/caller.ts';
import { demand } from '../audit/demand.ts';
import { SecretsError } from '../contract/errors.ts';
import type { rotateSecretRequest, SecretMetadata } from '../contract/secrets.ts';
import { type Encoding, valueBytes } from '../contract/value.ts';
import { fingerprint } from '../envelope/fingerprint.ts';
import { type Change, commitChange, type NewVersion, untilSaved, type WriteNeeds } from './change-secret.ts';
import { type Located, locate } from './locate.ts';
import { readRecord, type VersionRecord } from './secret-record.ts';
import type { StoredSecret } from './secret-store.ts';
import { sameVersionOf } from './update-secret.ts';

type RotateRequest = Located & z.infer<typeof rotateSecretRequest>;

/**
 * Stores a new version, which is current from now on; none when the value is the current one already.
 * @throws SecretsError `validation`, `forbidden`, `not_found`, `ambiguous_secret`, `version_conflict`, `unavailable`
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
      const { current } = readRecord(before);
      expectVersion(request.expected_version, current.version);
      if (current.fingerprint === print) {
        const kept = unchangedValueOf(before, request.reason);
        return commitChange(needs, caller, kept);
      }
      const change = nextVersionOf(needs.now(), caller, before, {
        encoding: request.encoding,
        fingerprint: print,
        reason: request.reason ?? 'Manual rotation',
        content: { value },
      });
      const previous = keptPrevious(needs.now(), current.version, request.keep_previous_for);
      return commitChange(needs, caller, { ...change, record: { ...change.record, previous } });
    });
  } finally {
    value.fill(0);
  }
}

/** The change that adds a version after the current one and makes it current. */
export function nextVersionOf(
  now: Date,
  caller: Caller,
  before: StoredSecret,
  added: {
    readonly encoding: Encoding;
    readonly fingerprint: string;
    readonly reason: string;
    readonly content: NewVersion['content'];
    readonly restores?: VersionRecord;
  },
): Change {
  const { current, format: _format, revision: _revision, data_key: _key, ...record } = readRecord(before);
  const { content, restores = null, ...told } = added;
  const stamp = { created_at: now.toISOString(), created_by: subjectOf(caller) };
  return {
    at: before.at,
    before,
    record: { ...record, last_rotated: stamp.created_at, last_rotated_by: stamp.created_by, previous: null },
    current,
    added: { record: { version: current.version + 1, ...told, ...stamp, restores }, content },
    happening: { action: restores === null ? 'rotate' : 'rollback', reason: told.reason },
    status: 200,
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

const UNIT_MS = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

function keptPrevious(now: Date, version: number, duration: string | undefined) {
  if (duration === undefined) return null;
  const unit = duration.at(-1) as keyof typeof UNIT_MS;
  const until = new Date(now.getTime() + Number(duration.slice(0, -1)) * UNIT_MS[unit]);
  return { version, until: until.toISOString() };
}
