import { coordinatesKey } from '../contract/coordinates.ts';
import type { OrganizationId } from '../contract/ids.ts';
import type { Log } from '../http/problem.ts';
import { ownerOf } from '../secrets/due.ts';
import { readRecord, type SecretRecord } from '../secrets/secret-record.ts';
import type { SecretStore, StoredSecret } from '../secrets/secret-store.ts';
import {
  type Announcement,
  announcementId,
  type Digest,
  MAX_ANNOUNCEMENTS,
  type ReminderStore,
} from './reminder-store.ts';
import { isQuiet, LOOK_AHEAD_MS, stageAt } from './stage.ts';

export interface AnnounceNeeds {
  readonly secrets: Pick<SecretStore, 'due'>;
  readonly reminders: Pick<ReminderStore, 'announced' | 'claim'>;
  readonly log: Log;
  readonly now: () => Date;
  readonly newId: () => string;
}

const DUE_AT_ONCE = 200;
/** For so long nobody else takes up a digest that a process has claimed: longer than a delivery may take. */
export const LEASE_MS = 15 * 60 * 1000;

interface Found {
  readonly owner: string | null;
  readonly announcement: Announcement;
}

/**
 * Claims what has to be announced of an organization, one digest an owner, and gives the digests. What is claimed
 * is delivered even if this process ends now: see {@link ReminderStore.waiting}.
 * @throws SecretsError `unavailable`
 */
export async function announceDue(needs: AnnounceNeeds, org: OrganizationId): Promise<Digest[]> {
  const owners = Map.groupBy(await findDue(needs, org), ({ owner }) => owner);
  const claimed: Digest[] = [];
  for (const [owner, found] of owners) {
    for (let rest = found; rest.length > 0; rest = rest.slice(MAX_ANNOUNCEMENTS)) {
      const announcements = rest.slice(0, MAX_ANNOUNCEMENTS).map(({ announcement }) => announcement);
      const digest = await claim(needs, org, owner, announcements);
      if (digest !== null) claimed.push(digest);
    }
  }
  return claimed;
}

/** What is due and not announced yet; the index finds it, and each secret's own record decides. */
async function findDue(needs: AnnounceNeeds, org: OrganizationId): Promise<Found[]> {
  const now = needs.now();
  const until = new Date(now.getTime() + LOOK_AHEAD_MS).toISOString();
  const found: Found[] = [];
  let after: string | undefined;
  do {
    const page = await needs.secrets.due(org, { until, after, limit: DUE_AT_ONCE });
    const due = page.items.flatMap((stored) => announcementOf(needs, org, stored, now));
    const ids = due.map(({ announcement }) => announcementId(announcement));
    const announced = await needs.reminders.announced(org, ids);
    found.push(...due.filter((_, at) => !announced.has(ids[at] ?? '')));
    after = page.next;
  } while (after !== undefined);
  return found;
}

function announcementOf(
  { log }: AnnounceNeeds,
  org: OrganizationId,
  stored: StoredSecret,
  now: Date,
): Found[] {
  let record: SecretRecord;
  try {
    record = readRecord(stored);
  } catch {
    log({ level: 'error', org, secret: coordinatesKey(stored.at), code: 'decryption_failed' });
    return [];
  }
  const announcement = currentAnnouncement(stored, record, now);
  if (announcement === null || isQuiet(record.reminder.quiet, announcement.stage, now)) return [];
  return [{ announcement, owner: announcement.stage.kind === 'escalated' ? null : ownerOf(record) }];
}

/** What is to be said of a secret now, unless somebody has answered; null when there is nothing. */
export function currentAnnouncement(
  { at, next_rotation_at: due_at, deleted_at }: StoredSecret,
  record: SecretRecord,
  now: Date,
): Announcement | null {
  if (due_at === null || deleted_at !== null) return null;
  const since = record.last_rotated ?? record.created_at;
  const stage = stageAt({ since, due_at }, now);
  if (stage === null) return null;
  return { at, version: record.current.version, due_at, stage };
}

/** A digest of those that nobody else claims meanwhile; null when others claim them all. */
async function claim(
  { reminders, now, newId }: AnnounceNeeds,
  org: OrganizationId,
  owner: string | null,
  announcements: readonly Announcement[],
): Promise<Digest | null> {
  for (let wanted = announcements; wanted.length > 0; ) {
    const digest: Digest = {
      id: newId(),
      org,
      owner,
      announcements: wanted,
      created_at: now().toISOString(),
      revision: 1,
      attempts: 0,
      delivered: [],
      refused: [],
      retry_at: new Date(now().getTime() + LEASE_MS).toISOString(),
    };
    if (await reminders.claim(digest)) return digest;
    const taken = await reminders.announced(org, wanted.map(announcementId));
    wanted = wanted.filter((announcement) => !taken.has(announcementId(announcement)));
  }
  return null;
}
