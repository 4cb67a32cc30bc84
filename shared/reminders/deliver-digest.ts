import { hash } from 'node:crypto';
import { scheduleCaller } from '../access/caller.ts';
import { auditedSecret, eventOf } from '../audit/event.ts';
import { coordinatesKey } from '../contract/coordinates.ts';
import type { Log } from '../http/problem.ts';
import { readRecord } from '../secrets/secret-record.ts';
import type { SecretStore } from '../secrets/secret-store.ts';
import { type Addressee, type AddresseeNeeds, addresseesOf } from './addressees.ts';
import { currentAnnouncement, LEASE_MS } from './announce-due.ts';
import { type DigestEntry, toEntry } from './digest-entry.ts';
import { digestMessage, subjectOf } from './digest-message.ts';
import { type Message, NotDelivered, type Notifier } from './notifier.ts';
import {
  type Announcement,
  announcementId,
  type Digest,
  type Recipient,
  type ReminderStore,
} from './reminder-store.ts';
import { isQuiet } from './stage.ts';

export interface DeliverNeeds extends AddresseeNeeds {
  readonly secrets: Pick<SecretStore, 'findMany'>;
  readonly reminders: Pick<ReminderStore, 'recipients' | 'saveDigest'>;
  readonly notifier: Notifier;
  /** Posts a message to a webhook. @throws NotDelivered */
  readonly postTo: (recipient: Recipient, message: Message, entries: readonly DigestEntry[]) => Promise<void>;
  readonly consoleUrl: string | null;
  readonly log: Log;
  readonly newId: () => string;
}

interface Current {
  readonly announcement: Announcement;
  /** Somebody has answered since it was claimed: it is not sent, and may be claimed again when that ends. */
  readonly isAnswered: boolean;
  readonly entry: DigestEntry;
}

const FIRST_PAUSE_MS = 60 * 1000;
const LONGEST_PAUSE_MS = 60 * 60 * 1000;
/** Addressee of what the host publishes. */
const PUBLISHED = 'published';

/**
 * Delivers a claimed digest to everybody who does not have it yet. Whoever has it is kept before the next one gets
 * it, so that an attempt that ends in the middle is taken up where it ended; only the one message that was under way
 * may come twice, with one Message-ID (docs/adr).
 * @returns the digest as it was kept
 * @throws SecretsError `unavailable` when that could not be kept: it is taken up again when its lease is over
 */
export async function deliverDigest(needs: DeliverNeeds, claimed: Digest): Promise<Digest> {
  const [current, answered] = partition(await stillTrue(needs, claimed));
  const entries = current.map(({ entry }) => entry);
  const addressees = entries.length === 0 ? [] : await wholeList(needs, claimed, entries);
  let digest = claimed;
  let isLate = false;
  for (const addressee of addressees) {
    if (digest.delivered.includes(addressee.id) || digest.refused.includes(addressee.id)) continue;
    const outcome = await deliverTo(needs, digest, addressee, entries);
    if (outcome === 'later') isLate = true;
    else digest = await keep(needs, { ...digest, [outcome]: [...digest[outcome], addressee.id] });
  }
  if (!isLate) return finish(needs, digest, current, answered);
  const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** digest.attempts);
  const retry_at = new Date(needs.now().getTime() + pause).toISOString();
  return keep(needs, { ...digest, attempts: digest.attempts + 1, retry_at });
}

/** Takes a digest up that waits. @returns null when somebody else has taken it up */
export async function takeUp(needs: DeliverNeeds, waiting: Digest): Promise<Digest | null> {
  const retry_at = new Date(needs.now().getTime() + LEASE_MS).toISOString();
  const digest = { ...waiting, retry_at, revision: waiting.revision + 1 };
  return (await needs.reminders.saveDigest(digest, null, [])) ? digest : null;
}

/**
 * The announcements that are true still. What was rotated, deleted or answered since it was claimed is left out, and
 * what has gone on to its next stage: that one is announced by a digest of its own.
 */
async function stillTrue(needs: DeliverNeeds, { org, announcements }: Digest): Promise<Current[]> {
  const now = needs.now();
  const heads = await needs.secrets.findMany(
    org,
    announcements.map(({ at }) => at),
  );
  const byKey = new Map(heads.map((head) => [coordinatesKey(head.at), head]));
  return announcements.flatMap((announcement) => {
    const head = byKey.get(coordinatesKey(announcement.at));
    if (head === undefined) return [];
    const record = readRecord(head);
    const current = currentAnnouncement(head, record, now);
    if (current === null || announcementId(current) !== announcementId(announcement)) return [];
    const isAnswered = isQuiet(record.reminder.quiet, announcement.stage, now);
    return [{ announcement, isAnswered, entry: toEntry(announcement, record, now, needs.consoleUrl) }];
  });
}

function partition(found: readonly Current[]): [current: Current[], answered: Current[]] {
  return [found.filter(({ isAnswered }) => !isAnswered), found.filter(({ isAnswered }) => isAnswered)];
}

/** Everybody who gets it by a way that this host has; what it publishes comes last. */
async function wholeList(
  needs: DeliverNeeds,
  { org, owner }: Digest,
  entries: readonly DigestEntry[],
): Promise<Addressee[]> {
  const reachable = (await addresseesOf(needs, org, owner)).filter(
    (addressee) =>
      (isByPost(addressee.to) || needs.notifier.sendMail !== null) &&
      entriesFor(addressee, entries).length > 0,
  );
  if (needs.notifier.publishes === 'what nobody gets' && reachable.length > 0) return reachable;
  return [...reachable, { id: PUBLISHED, to: { address: '' }, states: 'all' }];
}

function isByPost(to: Addressee['to']): to is Recipient {
  return 'kind' in to && to.kind !== 'email';
}

function entriesFor({ states }: Addressee, entries: readonly DigestEntry[]): readonly DigestEntry[] {
  return states === 'all' ? entries : entries.filter(({ kind }) => states.includes(kind));
}

/** The same in every attempt, and not telling who else gets the digest. */
function messageId({ id }: Digest, addressee: Addressee): string {
  return `${id}.${hash('sha256', addressee.id, 'hex').slice(0, 16)}`;
}

async function deliverTo(
  needs: DeliverNeeds,
  digest: Digest,
  addressee: Addressee,
  all: readonly DigestEntry[],
): Promise<'delivered' | 'refused' | 'later'> {
  const { notifier, postTo, log } = needs;
  const entries = entriesFor(addressee, all);
  const message = digestMessage(messageId(digest, addressee), digest.org, digest.owner, entries);
  try {
    if (addressee.id === PUBLISHED) await notifier.publish(digest.org, message);
    else if (isByPost(addressee.to)) await postTo(addressee.to, message, entries);
    else await notifier.sendMail?.(addressee.to.address ?? '', message);
    return 'delivered';
  } catch (error) {
    const isFinal = error instanceof NotDelivered && error.final;
    const why = error instanceof NotDelivered ? error.message : 'unknown';
    log({ level: 'warn', function: 'remind-rotation', org: digest.org, digest: digest.id, reason: why });
    return isFinal ? 'refused' : 'later';
  }
}

async function finish(
  needs: DeliverNeeds,
  digest: Digest,
  current: readonly Current[],
  answered: readonly Current[],
): Promise<Digest> {
  const done = { ...digest, retry_at: null };
  const released = answered.map(({ announcement }) => announcement);
  // Nothing was true any more, and nobody was told: there is nothing to record.
  if (current.length === 0) return keep(needs, done, null, released);
  const { delivered, refused, org } = digest;
  const reached = `${delivered.length} reached${refused.length === 0 ? '' : `, ${refused.length} refused it`}`;
  const event = eventOf(needs, scheduleCaller(org, digest.id), {
    action: 'remind',
    outcome: delivered.length > 0 ? 'success' : 'failed',
    secrets: current.map(({ announcement: { at, version } }) => auditedSecret(at, version)),
    about: digest.id,
    reason: `${subjectOf(current.map(({ entry }) => entry))}; ${reached}`,
  });
  return keep(needs, done, event, released);
}

/** @throws NotDelivered when somebody else has taken it up meanwhile: this process was too slow, and must stop */
async function keep(
  { reminders }: DeliverNeeds,
  digest: Digest,
  event: ReturnType<typeof eventOf> | null = null,
  released: readonly Announcement[] = [],
): Promise<Digest> {
  const next = { ...digest, revision: digest.revision + 1 };
  if (!(await reminders.saveDigest(next, event, released)))
    throw new NotDelivered('another process went on', false);
  return next;
}
