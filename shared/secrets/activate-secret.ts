import type * as z from 'zod';
import { type Caller, subjectOf } from '../access/caller.ts';
import { SecretsError } from '../contract/errors.ts';
import type { SecretMetadata } from '../contract/secrets.ts';
import type { abandonSecretRequest, activateSecretRequest } from '../contract/stages.ts';
import { decryptionFailed } from '../envelope/envelope.ts';
import { commitChange, untilSaved, type WriteNeeds } from './change-secret.ts';
import { type Located, locate } from './locate.ts';
import { readRecord, type SecretRecord } from './secret-record.ts';
import { demandMove, keptPrevious } from './stages.ts';
import { sameVersionOf } from './update-secret.ts';
import { provenVersion } from './version-proof.ts';

/**
 * Makes the pending version current.
 * @throws SecretsError `forbidden`, `not_found`, `ambiguous_secret`, `stage_conflict`, `version_conflict`,
 *   `decryption_failed` when the stored version is not the one that was staged, `unavailable`
 */
export async function activateSecret(
  needs: WriteNeeds,
  caller: Caller,
  request: Located & z.infer<typeof activateSecretRequest>,
): Promise<SecretMetadata> {
  return untilSaved(async () => {
    const before = await locate(needs, caller, 'activate', request);
    const record = readRecord(before);
    const pending = pendingOf('activate', record, request.version);
    const [row] = await needs.secrets.findVersions(caller.org, [{ at: before.at, version: pending.version }]);
    if (row === undefined) throw decryptionFailed();
    const current = await provenVersion(needs.keyService, caller.org, before.at, row);
    const now = needs.now();
    const reason = request.reason ?? `Activated version ${pending.version}`;
    const kept = request.keep_previous_for ?? pending.keep_previous_for;
    const change = sameVersionOf(before, { action: 'activate', reason }, 200);
    return commitChange(needs, caller, {
      ...change,
      record: {
        ...change.record,
        last_rotated: now.toISOString(),
        last_rotated_by: subjectOf(caller),
        previous: keptPrevious(now, record.current.version, kept),
        pending: null,
      },
      current,
      promoted: row.sealed,
    });
  });
}

/**
 * Drops the pending version: it keeps its place in the history and resolves no more.
 * @throws SecretsError `forbidden`, `not_found`, `ambiguous_secret`, `stage_conflict`, `version_conflict`, `unavailable`
 */
export async function abandonSecret(
  needs: WriteNeeds,
  caller: Caller,
  request: Located & z.infer<typeof abandonSecretRequest>,
): Promise<SecretMetadata> {
  return untilSaved(async () => {
    const before = await locate(needs, caller, 'abandon', request);
    const { version } = pendingOf('abandon', readRecord(before), request.version);
    const reason = request.reason ?? `Abandoned version ${version}`;
    const change = sameVersionOf(before, { action: 'abandon', reason }, 200);
    const abandoned = [...change.record.abandoned, version];
    const record = { ...change.record, pending: null, abandoned };
    return commitChange(needs, caller, { ...change, record, touched: [version] });
  });
}

function pendingOf(
  move: 'activate' | 'abandon',
  record: SecretRecord,
  expected: number | undefined,
): NonNullable<SecretRecord['pending']> {
  demandMove(move, record);
  const { pending } = record;
  if (pending === null) throw new TypeError(`${move} is legal only while a version is pending`);
  if (expected !== undefined && expected !== pending.version) {
    const detail = `Version ${pending.version} is pending, not ${expected}. Look again and repeat.`;
    throw new SecretsError('version_conflict', detail);
  }
  return pending;
}
