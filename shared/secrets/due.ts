import * as z from 'zod';
import { userId } from '../contract/ids.ts';
import { quietTime, type RotationPolicy, type secretReminder } from '../contract/reminders.ts';
import type { Rotation } from '../contract/rotators.ts';
import type { SecretMetadata } from '../contract/secrets.ts';

/** What reminders keep in a secret's record: all of it is about its current version. */
export const reminderRecord = z.strictObject({
  /** What the organization's policies say of it; null when none fits. */
  policy_days: z.int().nullable(),
  /** Due since then, whatever its age. */
  marked: z
    .strictObject({ since: z.string(), because: z.enum(['key_revoked', 'exported']), by: z.string() })
    .nullable(),
  quiet: z.strictObject(quietTime.shape).nullable(),
});
export type ReminderRecord = Readonly<z.infer<typeof reminderRecord>>;

/** Of a new version nothing is known yet. */
export const nothingKnown: ReminderRecord = { policy_days: null, marked: null, quiet: null };

/** The part of a secret's record that its dates are made of. */
interface Dated {
  readonly rotation_days: number | null;
  readonly created_at: string;
  readonly created_by: string;
  readonly last_rotated: string | null;
  readonly last_rotated_by: string | null;
  readonly metadata: SecretMetadata['metadata'];
  readonly reminder: ReminderRecord;
  readonly rotation: Rotation | null;
}

const DAY_MS = 24 * 60 * 60 * 1000;

/** When the current version becomes due; null when nothing says so. The earliest of what says it counts. */
export function nextRotationAt(record: Dated): string | null {
  const days = allowedDays(record);
  const since = Date.parse(record.last_rotated ?? record.created_at);
  const byAge = days === null ? null : new Date(since + days * DAY_MS).toISOString();
  const times = [byAge, record.reminder.marked?.since ?? null, failedAt(record)];
  return times.filter((time) => time !== null).sort()[0] ?? null;
}

/** Since when somebody has to resume or abandon a rotation by the rotator; null when nobody has. */
export function failedAt({ rotation }: Pick<Dated, 'rotation'>): string | null {
  return rotation?.state === 'failed' && !rotation.dry_run ? rotation.tried_at : null;
}

/** How old the current version may get: the fewest days that anybody asked for. */
function allowedDays({ rotation_days, reminder: { policy_days } }: Dated): number | null {
  if (rotation_days === null || policy_days === null) return rotation_days ?? policy_days;
  return Math.min(rotation_days, policy_days);
}

/** What an organization's policies say of a secret with these labels, in days; null when none fits. */
export function policyDays(
  policies: readonly RotationPolicy[],
  metadata: SecretMetadata['metadata'],
): number | null {
  const days = policies
    .filter((policy) => Object.entries(policy.metadata).every(([label, value]) => metadata[label] === value))
    .map(({ rotation_days }) => rotation_days);
  return days.length === 0 ? null : Math.min(...days);
}

/** Who is reminded: whom the labels name, else who set the current value. */
export function ownerOf(record: Pick<Dated, 'created_by' | 'last_rotated_by' | 'metadata'>): string {
  const named = record.metadata['owner'];
  // An identifier and no free text: it stands in mails, and decides who gets them.
  if (userId.safeParse(named).success) return String(named);
  return record.last_rotated_by ?? record.created_by;
}

/** What reminders know of a secret, in the words of the API; undefined while there is no date for it. */
export function describeReminder(record: Dated): z.infer<typeof secretReminder> | undefined {
  const due = nextRotationAt(record);
  if (due === null) return undefined;
  const { marked, policy_days, quiet } = record.reminder;
  const byPolicy =
    policy_days !== null && (record.rotation_days === null || policy_days < record.rotation_days);
  const byAge = byPolicy ? 'policy' : 'rotation_days';
  const byMark = marked !== null && marked.since === due ? marked.because : byAge;
  const because = failedAt(record) === due ? 'rotation_failed' : byMark;
  return { because, owner: ownerOf(record), quiet };
}
