import { type Coordinates, describeCoordinates } from '../contract/coordinates.ts';
import { describeReminder, failedAt } from '../secrets/due.ts';
import type { SecretRecord } from '../secrets/secret-record.ts';
import type { Announcement } from './reminder-store.ts';
import type { StageKind } from './stage.ts';

/** One secret in a digest, in words. Only names, places and dates: what somebody wrote freely stays out. */
export interface DigestEntry {
  readonly kind: StageKind;
  /** Of one that is late how many days, else how many are left as a negative number. */
  readonly lateness: number;
  readonly name: string;
  readonly state: string;
  readonly place: string;
  readonly owner: string;
  readonly rotated: string;
  readonly why: string;
  /** A rotation by the rotator failed: it is to be resumed or abandoned. */
  readonly failed: boolean;
  /** The command that rotates it, or goes on with a rotation that failed. */
  readonly command: string;
  readonly link: string | null;
}

const DAY_MS = 24 * 60 * 60 * 1000;

const WHY = {
  rotation_days: 'its own rotation period',
  policy: 'a policy of the organization',
  key_revoked: 'the end of the API key that set it',
  exported: 'its value in the hands of a person',
  rotation_failed: 'a rotation that failed',
} as const;

/** An announcement in words. */
export function toEntry(
  { at, stage, due_at }: Announcement,
  record: SecretRecord,
  now: Date,
  consoleUrl: string | null,
): DigestEntry {
  const lateness = -Math.ceil((Date.parse(due_at) - now.getTime()) / DAY_MS);
  const { scope, pipeline_id, user, environment } = describeCoordinates(at);
  const place = [
    environment ?? 'every environment',
    ...(pipeline_id === null ? [] : [`pipeline ${pipeline_id}`]),
    ...(user === null ? [] : [`user ${user}`]),
  ];
  const flags = [
    ...(scope === 'org' ? [] : ['--scope', scope]),
    ...(pipeline_id === null ? [] : ['--pipeline', shellWord(pipeline_id)]),
    ...(user === null ? [] : ['--user', shellWord(user)]),
    ...['--env', environment ?? 'none'],
  ];
  const reminder = describeReminder(record);
  const failed = failedAt(record) !== null;
  const rotate = ['fm', 'secrets', failed ? 'rotation' : 'rotate', at.name, ...flags];
  return {
    kind: stage.kind,
    lateness,
    name: at.name,
    state: failed ? `rotation failed at ${record.rotation?.step}` : stateOf(stage.kind, lateness),
    place: place.join(', '),
    owner: reminder?.owner ?? record.created_by,
    rotated: (record.last_rotated ?? record.created_at).slice(0, 10),
    why: WHY[reminder?.because ?? 'rotation_days'],
    failed,
    command: [...rotate, ...(failed ? ['--action', 'resume'] : [])].join(' '),
    link: consoleUrl === null ? null : linkTo(consoleUrl, at),
  };
}

function stateOf(kind: StageKind, lateness: number): string {
  if (kind === 'upcoming') return `due in ${inDays(Math.max(1, -lateness))}`;
  return kind === 'due' ? 'due today' : `overdue by ${inDays(lateness)}`;
}

/** A number of days in words. */
export function inDays(days: number): string {
  return days === 1 ? '1 day' : `${days} days`;
}

/** The console's address of a secret: its place is behind the `#`, which no server gets to see. */
function linkTo(consoleUrl: string, at: Coordinates): string {
  const { scope, pipeline_id, user, environment } = describeCoordinates(at);
  const query = new URLSearchParams({ scope, environment: environment ?? 'none' });
  if (pipeline_id !== null) query.set('pipeline_id', pipeline_id);
  if (user !== null) query.set('user', user);
  return `${consoleUrl.replace(/\/$/, '')}/#/secrets/${encodeURIComponent(at.name)}?${query}`;
}

/** An identifier as one word of a shell: it has no quote, but may have a `|`. */
function shellWord(identifier: string): string {
  return /^[A-Za-z0-9._:@+/=-]+$/.test(identifier) ? identifier : `'${identifier}'`;
}

/** What is late the longest first. */
export function byUrgency(entries: readonly DigestEntry[]): DigestEntry[] {
  return entries.toSorted((one, two) => two.lateness - one.lateness || (one.name < two.name ? -1 : 1));
}
