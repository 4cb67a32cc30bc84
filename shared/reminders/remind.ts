import type { CallerStore } from '../access/caller-store.ts';
import type { Trail } from '../audit/outbox.ts';
import type { OrganizationId } from '../contract/ids.ts';
import { logEntryOf } from '../http/problem.ts';
import { type AnnounceNeeds, announceDue } from './announce-due.ts';
import { type ApplyNeeds, applyPolicies } from './apply-policies.ts';
import { type DeliverNeeds, deliverDigest, takeUp } from './deliver-digest.ts';
import { type MarkNeeds, markDue } from './mark-due.ts';
import type { Digest, ReminderStore } from './reminder-store.ts';

export type RemindNeeds = AnnounceNeeds &
  ApplyNeeds &
  DeliverNeeds &
  MarkNeeds & {
    readonly callers: Pick<CallerStore<Trail>, 'listOrganizations'>;
    readonly reminders: ReminderStore;
  };

const ORGANIZATIONS_AT_ONCE = 100;
const DIGESTS_AT_ONCE = 100;
const KEPT_MS = 400 * 24 * 60 * 60 * 1000;

/** What a check came to. */
export interface Reminded {
  readonly delivered: number;
  /** Digests that are tried again. */
  readonly waiting: number;
  /** Organizations, and digests, whose turn failed altogether; they are looked at again by the next check. */
  readonly failed: number;
}

/**
 * The scheduled check: gives secrets their dates, claims what has to be announced, delivers it, and takes up what
 * waits. One organization's failure is not another's. Any number of them may run at once, and end anywhere.
 */
export async function remind(needs: RemindNeeds): Promise<Reminded> {
  const sum = { delivered: 0, waiting: 0, failed: 0 };
  const attempt: Attempt = async (work) => {
    try {
      for (const { retry_at } of await work()) sum[retry_at === null ? 'delivered' : 'waiting'] += 1;
    } catch (error) {
      sum.failed += 1;
      needs.log({ level: 'error', function: 'remind-rotation', ...logEntryOf(error) });
    }
  };
  const time = needs.now();
  await attempt(() => deliverWaiting(needs, time.toISOString(), attempt));
  let after: string | undefined;
  do {
    const page = await needs.callers.listOrganizations(ORGANIZATIONS_AT_ONCE, after);
    for (const { id } of page.items) await remindOrganization(needs, id, attempt);
    after = page.next;
  } while (after !== undefined);
  await needs.reminders.forget(new Date(time.getTime() - KEPT_MS).toISOString());
  return sum;
}

/** Takes up what waits. Each that is taken up waits no more, or for later than now: so it ends. */
async function deliverWaiting(
  needs: RemindNeeds,
  time: string,
  attempt: Attempt,
): Promise<readonly Digest[]> {
  for (;;) {
    const batch = await needs.reminders.waiting(time, DIGESTS_AT_ONCE);
    for (const digest of batch) {
      await attempt(async () => {
        const taken = await takeUp(needs, digest);
        return taken === null ? [] : [await deliverDigest(needs, taken)];
      });
    }
    // A store whose index is behind, or that cannot be written, would name the same ones for ever.
    if (batch.length < DIGESTS_AT_ONCE) return [];
    const last = batch.at(-1);
    const [first] = await needs.reminders.waiting(time, 1);
    if (first === undefined || (first.retry_at ?? '') <= (last?.retry_at ?? '')) return [];
  }
}

/** Does a part of the work, and counts what became of it; never throws. */
type Attempt = (work: () => Promise<readonly Digest[]>) => Promise<void>;

async function remindOrganization(needs: RemindNeeds, org: OrganizationId, attempt: Attempt): Promise<void> {
  // Each by itself: a log that cannot be searched keeps nobody from being reminded.
  await attempt(async () => {
    const organization = await needs.callers.findOrganization(org);
    if (organization !== null) await applyPolicies(needs, organization);
    return [];
  });
  await attempt(async () => {
    const organization = await needs.callers.findOrganization(org);
    if (organization !== null) await markDue(needs, organization);
    return [];
  });
  await attempt(async () => {
    for (const digest of await announceDue(needs, org))
      await attempt(async () => [await deliverDigest(needs, digest)]);
    return [];
  });
}
