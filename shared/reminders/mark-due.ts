import { type Caller, scheduleCaller } from '../access/caller.ts';
import type { CallerStore, OrganizationRecord } from '../access/caller-store.ts';
import type { AuditEvent, AuditedSecret } from '../audit/event.ts';
import type { AuditLog } from '../audit/log.ts';
import type { Trail } from '../audit/outbox.ts';
import { searchLog } from '../audit/search-log.ts';
import type { AuditAction } from '../contract/audit.ts';
import { type Coordinates, coordinatesFromKey } from '../contract/coordinates.ts';
import type { ApiKeyId, OrganizationId } from '../contract/ids.ts';
import { commitChange, untilSaved, type WriteNeeds } from '../secrets/change-secret.ts';
import type { ReminderRecord } from '../secrets/due.ts';
import { readRecord } from '../secrets/secret-record.ts';
import { sameVersionOf } from '../secrets/update-secret.ts';
import { isInForce, isMailAddress } from './addressees.ts';
import type { ReminderStore } from './reminder-store.ts';

export interface MarkNeeds extends WriteNeeds {
  readonly auditLog: AuditLog;
  readonly callers: Pick<CallerStore<Trail>, 'findOrganization' | 'findApiKey' | 'listApiKeys'>;
  readonly reminders: Pick<ReminderStore, 'progress' | 'saveProgress'>;
}

/** An event is in the log some time after it happened; what is found twice is marked once. */
const OVERLAP_MS = 24 * 60 * 60 * 1000;
const EVENTS = 10_000;
const KEYS_AT_ONCE = 100;
/** What sets a value. */
const SETTING: readonly AuditAction[] = ['create', 'rotate', 'stage'];

type Mark = NonNullable<ReminderRecord['marked']>;
const REASONS = {
  key_revoked: (by: string) => `The API key of ${by} was revoked`,
  exported: (by: string) => `${by} took its value out`,
} as const;

/**
 * Marks secrets due whose value is known to somebody who need not know it any more: the key that set it was revoked,
 * or a person took it out by a key of their own. The audit log's index tells; marks stay with the version that they
 * are about.
 * @returns how many were marked
 * @throws SecretsError `unavailable`: it looks again the next time
 */
export async function markDue(
  needs: MarkNeeds,
  { id: org, created_at }: OrganizationRecord,
): Promise<number> {
  const started = needs.now().toISOString();
  const before = await needs.reminders.progress(org);
  const from = new Date(Date.parse(before.audit ?? created_at) - OVERLAP_MS).toISOString();
  let marked = 0;
  for (const event of await happened(needs, org, 'revoke_api_key', from))
    marked += await afterRevocation(needs, org, event);
  marked += await afterExports(needs, org, from);
  await needs.reminders.saveProgress(org, { ...(await needs.reminders.progress(org)), audit: started });
  return marked;
}

async function happened(
  { auditLog }: MarkNeeds,
  org: OrganizationId,
  action: AuditAction,
  from: string,
): Promise<AuditEvent[]> {
  const filter = { action, outcome: 'success', from };
  return (await searchLog(auditLog, org, filter, EVENTS, undefined)).map(({ record }) => record.event);
}

/** What the revoked key set last, unless its holder has another key: then nobody has left. */
async function afterRevocation(
  needs: MarkNeeds,
  org: OrganizationId,
  revocation: AuditEvent,
): Promise<number> {
  const key = await needs.callers.findApiKey(revocation.about as ApiKeyId);
  if (key === null || key.org !== org) return 0;
  const user = key.subject ?? key.name;
  if (await hasAnotherKey(needs, org, user)) return 0;
  const caller = scheduleCaller(org, needs.newId());
  const mark = { since: revocation.timestamp, because: 'key_revoked' as const, by: user };
  let marked = 0;
  for (const action of SETTING) {
    const found = await searchLog(
      needs.auditLog,
      org,
      { user, action, outcome: 'success' },
      EVENTS,
      undefined,
    );
    for (const { event } of found.map(({ record }) => record)) {
      if (event.api_key_id !== key.id) continue;
      for (const secret of event.secrets) if (await markOne(needs, caller, secret, mark)) marked += 1;
    }
  }
  return marked;
}

async function hasAnotherKey(needs: MarkNeeds, org: OrganizationId, user: string): Promise<boolean> {
  const time = needs.now().toISOString();
  for await (const key of keysOf(needs, org))
    if ((key.subject ?? key.name) === user && isInForce(key, time)) return true;
  return false;
}

async function* keysOf({ callers }: MarkNeeds, org: OrganizationId) {
  let after: string | undefined;
  do {
    const page = await callers.listApiKeys(org, KEYS_AT_ONCE, after);
    yield* page.items;
    after = page.next;
  } while (after !== undefined);
}

/**
 * What persons resolved. The credential tells, and not what a client says of itself: a runtime key that stands for a
 * mail address is a person's, and so is a run that was started by it. Whoever set a value knows it anyway.
 */
async function afterExports(needs: MarkNeeds, org: OrganizationId, from: string): Promise<number> {
  const caller = scheduleCaller(org, needs.newId());
  let marked = 0;
  for await (const { id, subject, role, revoked_at } of keysOf(needs, org)) {
    const mayHave = role === 'runtime' && (revoked_at === null || revoked_at >= from);
    if (subject === null || !mayHave || !isMailAddress(subject)) continue;
    const filter = { user: subject, action: 'access', outcome: 'success', from } as const;
    for (const { record } of await searchLog(needs.auditLog, org, filter, EVENTS, undefined)) {
      if (record.event.api_key_id !== id) continue;
      const mark = { since: record.event.timestamp, because: 'exported' as const, by: subject };
      for (const secret of record.event.secrets) if (await markOne(needs, caller, secret, mark)) marked += 1;
    }
  }
  return marked;
}

/** Marks a secret, if the version that is meant is the current one still and nobody has marked it. */
async function markOne(
  needs: MarkNeeds,
  caller: Caller,
  secret: AuditedSecret,
  marked: Mark,
): Promise<boolean> {
  const at = placeOf(secret);
  return untilSaved(async () => {
    const [stored] = await needs.secrets.findMany(caller.org, [at]);
    if (stored === undefined || stored.deleted_at !== null) return false;
    const { current, reminder, created_by, last_rotated_by } = readRecord(stored);
    if (current.version !== secret.version || reminder.marked !== null) return false;
    if (marked.because === 'exported' && marked.by === (last_rotated_by ?? created_by)) return false;
    const reason = REASONS[marked.because](marked.by);
    const change = sameVersionOf(stored, { action: 'mark_due', reason }, 204);
    const record = { ...change.record, reminder: { ...reminder, marked } };
    return (await commitChange(needs, caller, { ...change, record })) === null ? null : true;
  });
}

function placeOf({ name, scope = 'org', environment, owner }: AuditedSecret): Coordinates {
  return coordinatesFromKey(`${name}#${scope}#${environment ?? ''}#${owner ?? ''}`);
}
