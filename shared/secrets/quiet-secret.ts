import type * as z from 'zod';
import { type Caller, subjectOf } from '../access/caller.ts';
import { invalid } from '../contract/errors.ts';
import type { ackSecretRequest, QuietTime, snoozeSecretRequest } from '../contract/reminders.ts';
import type { SecretMetadata } from '../contract/secrets.ts';
import { commitChange, untilSaved, type WriteNeeds } from './change-secret.ts';
import { type Located, locate } from './locate.ts';
import { readRecord } from './secret-record.ts';
import { sameVersionOf } from './update-secret.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
const LONGEST_ACK_DAYS = 366;

/**
 * Answers a reminder: why the secret is not rotated now, and until when nobody need be reminded. Ends by itself
 * with the next version.
 * @throws SecretsError `validation`, `forbidden`, `not_found`, `ambiguous_secret`, `unavailable`
 */
export async function ackSecret(
  needs: WriteNeeds,
  caller: Caller,
  request: Located & z.infer<typeof ackSecretRequest>,
): Promise<SecretMetadata> {
  const left = Date.parse(request.until) - needs.now().getTime();
  if (left <= 0) throw invalid('until', 'must be in the future');
  if (left > LONGEST_ACK_DAYS * DAY_MS) throw invalid('until', 'must be within a year');
  const until = new Date(request.until).toISOString();
  return keepQuiet(needs, caller, request, { kind: 'ack', until, reason: request.reason });
}

/**
 * Puts reminders of a secret off for some days, but for those that go to the organization's admins; 0 days ends that,
 * and an acknowledgement.
 * @throws SecretsError `forbidden`, `not_found`, `ambiguous_secret`, `unavailable`
 */
export async function snoozeSecret(
  needs: WriteNeeds,
  caller: Caller,
  request: Located & z.infer<typeof snoozeSecretRequest>,
): Promise<SecretMetadata> {
  const until = new Date(needs.now().getTime() + request.days * DAY_MS).toISOString();
  return keepQuiet(needs, caller, request, { kind: 'snooze', until, reason: null });
}

async function keepQuiet(
  needs: WriteNeeds,
  caller: Caller,
  request: Located,
  asked: Pick<QuietTime, 'kind' | 'until' | 'reason'>,
): Promise<SecretMetadata> {
  return untilSaved(async () => {
    const before = await locate(needs, caller, 'update', request);
    const at = needs.now().toISOString();
    const quiet = asked.until > at ? { ...asked, by: subjectOf(caller), at } : null;
    const ended = quiet === null ? 'Reminders go on' : `No reminder before ${asked.until}`;
    const reason = asked.reason === null ? ended : `${ended}: ${asked.reason}`;
    const change = sameVersionOf(before, { action: asked.kind, reason }, 200);
    const { reminder } = readRecord(before);
    return commitChange(needs, caller, {
      ...change,
      record: { ...change.record, reminder: { ...reminder, quiet } },
    });
  });
}
