import { hash } from 'node:crypto';
import { type Caller, scheduleCaller } from '../access/caller.ts';
import type { OrganizationRecord } from '../access/caller-store.ts';
import { commitChange, untilSaved, type WriteNeeds } from '../secrets/change-secret.ts';
import { policyDays } from '../secrets/due.ts';
import { readRecord } from '../secrets/secret-record.ts';
import type { StoredSecret } from '../secrets/secret-store.ts';
import { sameVersionOf } from '../secrets/update-secret.ts';
import type { ReminderStore } from './reminder-store.ts';

export interface ApplyNeeds extends WriteNeeds {
  readonly reminders: Pick<ReminderStore, 'progress' | 'saveProgress'>;
}

const SECRETS_AT_ONCE = 200;
/** A writer that read the policies before they changed may save after the first walk; the second one finds it. */
const WALKS = 2;

/**
 * Gives every secret of an organization the date that its policies say, after they changed. The one time that
 * secrets are walked through: each then has its place in the index of what is due.
 * @returns how many secrets were changed
 * @throws SecretsError `unavailable`: it begins anew the next time
 */
export async function applyPolicies(needs: ApplyNeeds, organization: OrganizationRecord): Promise<number> {
  const { id: org, rotation_policies } = organization;
  const before = await needs.reminders.progress(org);
  const [walked = '', walks = '0'] = before.policies?.split(' ') ?? [];
  const wanted = hash('sha256', JSON.stringify(rotation_policies), 'hex');
  const done = walked === wanted ? Number(walks) : 0;
  if (done >= WALKS || (before.policies === null && rotation_policies.length === 0)) return 0;
  const changed = await walk(needs, organization);
  await needs.reminders.saveProgress(org, { ...before, policies: `${wanted} ${done + 1}` });
  return changed;
}

async function walk(needs: ApplyNeeds, organization: OrganizationRecord): Promise<number> {
  const caller = scheduleCaller(organization.id, needs.newId());
  let changed = 0;
  let after: string | undefined;
  do {
    const page = await needs.secrets.list(organization.id, { prefix: '', after, limit: SECRETS_AT_ONCE });
    for (const stored of page.items) {
      if (isToChange(stored, organization) && (await applyTo(needs, caller, organization, stored)))
        changed += 1;
    }
    after = page.next;
  } while (after !== undefined);
  return changed;
}

function isToChange(stored: StoredSecret, { rotation_policies }: OrganizationRecord): boolean {
  try {
    const { metadata, reminder } = readRecord(stored);
    return policyDays(rotation_policies, metadata) !== reminder.policy_days;
  } catch {
    return false; // A damaged row keeps no other secret from its date.
  }
}

async function applyTo(
  needs: ApplyNeeds,
  caller: Caller,
  organization: OrganizationRecord,
  listed: StoredSecret,
): Promise<boolean> {
  return untilSaved(async () => {
    const [stored] = await needs.secrets.findMany(organization.id, [listed.at]);
    if (stored === undefined || !isToChange(stored, organization)) return false;
    const days = policyDays(organization.rotation_policies, readRecord(stored).metadata);
    const reason = days === null ? 'No policy names it any more' : `A policy says ${days} days`;
    const change = sameVersionOf(stored, { action: 'apply_policy', reason }, 204);
    return (await commitChange(needs, caller, change)) === null ? null : true;
  });
}
