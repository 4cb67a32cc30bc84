import { hash } from 'node:crypto';
import type { AuditOutbox } from '../audit/outbox.ts';
import { type Coordinates, coordinatesKey } from '../contract/coordinates.ts';
import { SecretsError } from '../contract/errors.ts';
import type { OrganizationId } from '../contract/ids.ts';
import type { TextPage } from '../contract/page.ts';
import { ownerOf } from '../secrets/due.ts';
import { readRecord, type SecretRecord } from '../secrets/secret-record.ts';
import type { SecretStore, StoredSecret } from '../secrets/secret-store.ts';
import { hashToken } from './create-notification.ts';
import { type DigestEntry, toEntry } from './digest-entry.ts';
import type { ReminderStore } from './reminder-store.ts';

interface Needs {
  readonly reminders: Pick<ReminderStore, 'findCalendar'>;
  readonly secrets: Pick<SecretStore, 'due'>;
  readonly outbox: AuditOutbox;
  readonly consoleUrl: string | null;
  readonly now: () => Date;
  readonly newId: () => string;
}

const DAY_MS = 24 * 60 * 60 * 1000;
const AHEAD_DAYS = 400;
const MOST_EVENTS = 1000;

/**
 * A calendar's feed: a day for each secret that is to be rotated within 400 days, and today for each that is overdue.
 * The token in its name is the credential; it opens this and nothing else.
 * @throws SecretsError `not_found` for every token that is not one in force
 */
export async function readCalendar(needs: Needs, { file }: { readonly file: string }): Promise<TextPage> {
  const calendar = await needs.reminders.findCalendar(hashToken(file.slice(0, -'.ics'.length)));
  if (calendar === null)
    throw new SecretsError('not_found', 'No such calendar. Ask an admin for another one.');
  const { org, id, owner } = calendar;
  const now = needs.now();
  await needs.outbox.append({
    id: needs.newId(),
    org,
    timestamp: now.toISOString(),
    action: 'list',
    outcome: 'success',
    secrets: [],
    about: id,
    reason: 'Its calendar was read',
  });
  const due = await dueWithinAYear(needs, org, now);
  const events = due
    .filter(({ record }) => owner === null || ownerOf(record) === owner)
    .flatMap(({ stored, record }) => eventLines(org, stored, record, now, needs.consoleUrl));
  const head = ['BEGIN:VCALENDAR', 'VERSION:2.0', 'PRODID:-//FlowMason//Secrets//EN', 'CALSCALE:GREGORIAN'];
  const name = [`X-WR-CALNAME:Secrets of ${org}`, 'REFRESH-INTERVAL;VALUE=DURATION:PT6H'];
  const lines = [...head, ...name, ...events, 'END:VCALENDAR'];
  // Each line ends with CRLF; its LF is the page's.
  return { items: lines.map((line) => `${folded(line)}\r`), media: 'text/calendar; charset=utf-8' };
}

async function dueWithinAYear({ secrets }: Needs, org: OrganizationId, now: Date) {
  const until = new Date(now.getTime() + AHEAD_DAYS * DAY_MS).toISOString();
  const { items } = await secrets.due(org, { until, after: undefined, limit: MOST_EVENTS });
  return items.flatMap((stored) => {
    try {
      return [{ stored, record: readRecord(stored) }];
    } catch {
      return []; // A damaged row hides no other secret.
    }
  });
}

function eventLines(
  org: OrganizationId,
  { at, next_rotation_at }: StoredSecret,
  record: SecretRecord,
  now: Date,
  consoleUrl: string | null,
): string[] {
  const due_at = next_rotation_at ?? now.toISOString();
  const isLate = due_at < now.toISOString();
  const day = isLate ? now : new Date(due_at);
  const stage = isLate ? { kind: 'overdue' as const, days: 0 } : { kind: 'upcoming' as const, days: 0 };
  const announcement = { at, version: record.current.version, due_at, stage };
  const entry = toEntry(announcement, record, now, consoleUrl);
  return [
    'BEGIN:VEVENT',
    `UID:${uidOf(org, at, record)}@flowmason-secrets`,
    `DTSTAMP:${now.toISOString().replace(/[-:]|\.\d+/g, '')}`,
    `DTSTART;VALUE=DATE:${dateOf(day)}`,
    `DTEND;VALUE=DATE:${dateOf(new Date(day.getTime() + DAY_MS))}`,
    `SUMMARY:${escaped(`Rotate ${entry.name} (${entry.place})`)}`,
    `DESCRIPTION:${escaped(descriptionOf(entry, isLate, due_at))}`,
    ...(entry.link === null ? [] : [`URL:${entry.link}`]),
    'TRANSP:TRANSPARENT',
    'END:VEVENT',
  ];
}

function descriptionOf(entry: DigestEntry, isLate: boolean, dueAt: string): string {
  const late = isLate ? [`Overdue since ${dueAt.slice(0, 10)}.`] : [];
  return [...late, entry.command, `Owner: ${entry.owner}`, `Because of ${entry.why}`].join('\n');
}

/** The same for one version, so that a calendar moves the event and makes no second one. */
function uidOf(org: OrganizationId, at: Coordinates, { current }: SecretRecord): string {
  return hash('sha256', `${org} ${coordinatesKey(at)} ${current.version}`, 'hex').slice(0, 32);
}

function dateOf(day: Date): string {
  return day.toISOString().slice(0, 10).replaceAll('-', '');
}

function escaped(text: string): string {
  return text.replace(/[\\;,]/g, (character) => `\\${character}`).replaceAll('\n', '\\n');
}

/** At most 75 bytes a line, the rest on lines that begin with a space; no character is cut in two. */
function folded(line: string): string {
  const lines: string[] = [];
  let current = '';
  for (const character of line) {
    if (Buffer.byteLength(current + character) > 74) {
      lines.push(current);
      current = '';
    }
    current += character;
  }
  return [...lines, current].join('\r\n ');
}
