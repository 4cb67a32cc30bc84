import type { Caller } from '../access/caller.ts';
import type { AuditVerification, VerifyAuditQuery } from '../contract/audit.ts';
import { invalid } from '../contract/errors.ts';
import type { OrganizationId } from '../contract/ids.ts';
import { StateChecker, type StateNeeds } from './check-state.ts';
import { noteSize } from './checkpoint.ts';
import { demand } from './demand.ts';
import { type ReadNeeds, recordRead } from './record-read.ts';
import { type VerifyNeeds, type VerifyRange, verifyLog } from './verify-log.ts';

export type WholeNeeds = VerifyNeeds & StateNeeds;

/** An answer must come within the time that API Gateway and a Lambda give it. */
const ENOUGH_AFTER_MS = 6000;

/**
 * Checks the log of the caller's organization, and then what the store holds against it. A long log takes several
 * calls: each says where to go on.
 * @throws SecretsError `forbidden`, `validation`, `unavailable`
 */
export async function verifyAudit(
  needs: WholeNeeds & ReadNeeds,
  caller: Caller,
  request: VerifyAuditQuery,
): Promise<AuditVerification> {
  await demand(needs, caller, 'read_audit');
  const { from = 0, root } = request;
  const covered = await needs.checkpoints.latest(caller.org);
  if (from > (covered === null ? 0 : noteSize(covered)))
    throw invalid('from', 'must be the size of a checkpoint of this log');
  const end = needs.now().getTime() + ENOUGH_AFTER_MS;
  const result = await verifyWhole(needs, caller.org, {
    from,
    root: root === undefined ? null : Buffer.from(root, 'base64'),
    isEnough: () => needs.now().getTime() > end,
  });
  await recordRead(needs, caller, 'verify_audit');
  return result;
}

/**
 * Checks a log, and where it was read from the beginning to the end, whether secrets, keys and runs are what it
 * says. @throws SecretsError `unavailable`
 */
export async function verifyWhole(
  needs: WholeNeeds,
  org: OrganizationId,
  range: Omit<VerifyRange, 'onRecord'>,
): Promise<AuditVerification> {
  const state = new StateChecker();
  const onRecord: VerifyRange['onRecord'] = (record) => state.add(record);
  const { first_bad, continue_from, expired, ...counts } = await verifyLog(needs, org, {
    ...range,
    onRecord,
  });
  const isWhole = first_bad === null && continue_from === null && range.from === 0;
  const stale = isWhole ? await state.stale(needs, org) : [];
  return {
    verified: first_bad === null && stale.length === 0,
    ...counts,
    ...(expired === 0 ? {} : { expired }),
    ...(first_bad === null ? {} : { first_bad }),
    ...(stale.length === 0 ? {} : { stale }),
    ...(continue_from === null ? {} : { continue_from }),
  };
}
