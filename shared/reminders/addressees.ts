import type { ApiKeyRecord, ApiKeyState } from '../access/api-key.ts';
import type { CallerStore } from '../access/caller-store.ts';
import type { Trail } from '../audit/outbox.ts';
import type { OrganizationId } from '../contract/ids.ts';
import type { Recipient, ReminderStore } from './reminder-store.ts';
import type { StageKind } from './stage.ts';

export interface AddresseeNeeds {
  readonly callers: Pick<CallerStore<Trail>, 'listApiKeys'>;
  readonly reminders: Pick<ReminderStore, 'recipients'>;
  readonly now: () => Date;
}

/** Who gets a digest, and what of it. */
export interface Addressee {
  /** Stable, so that it is known who has it already. */
  readonly id: string;
  readonly to: { readonly address: string } | Recipient;
  readonly states: readonly StageKind[] | 'all';
}

const KEYS_AT_ONCE = 100;

/**
 * Who gets the digest of an owner, or of the admins: whom /notifications names, and the owner or the admins
 * themselves where an API key in force says that they are a mail address. Nobody is written to because a label
 * of a secret says so: everybody who may write a secret may write its labels.
 */
export async function addresseesOf(
  needs: AddresseeNeeds,
  org: OrganizationId,
  owner: string | null,
): Promise<Addressee[]> {
  const recipients = (await needs.reminders.recipients(org)).filter(
    ({ kind, owner: only }) => kind !== 'calendar' && (only === null || only === owner),
  );
  const mine = await subjectsOf(needs, org, owner);
  const named = new Set(recipients.map(({ address }) => address?.toLowerCase()));
  return [
    ...recipients.map((to) => ({ id: to.id, to, states: to.states })),
    ...[...mine]
      .filter((address) => !named.has(address.toLowerCase()))
      .map((address) => ({ id: address, to: { address }, states: 'all' as const })),
  ];
}

/** The mail addresses among the subjects of keys in force: the owner's, or every admin's. */
async function subjectsOf(
  { callers, now }: AddresseeNeeds,
  org: OrganizationId,
  owner: string | null,
): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  const time = now().toISOString();
  let after: string | undefined;
  do {
    const page = await callers.listApiKeys(org, KEYS_AT_ONCE, after);
    for (const key of page.items) {
      const { subject, role } = key;
      if (subject === null || !isMailAddress(subject) || !isInForce(key, time)) continue;
      if (owner === null ? role === 'admin' : subject === owner) found.add(subject);
    }
    after = page.next;
  } while (after !== undefined);
  return found;
}

/** Whether a key opens anything at a moment. */
export function isInForce({ revoked_at, expires_at }: ApiKeyRecord & ApiKeyState, time: string): boolean {
  return revoked_at === null && (expires_at === null || expires_at > time);
}

/** Whether a subject stands for a person. */
export function isMailAddress(subject: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9._+=|/-]*@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$/.test(subject);
}
