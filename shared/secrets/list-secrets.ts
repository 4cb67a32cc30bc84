import type { Caller } from '../access/caller.ts';
import { allows } from '../access/roles.ts';
import { demand } from '../audit/demand.ts';
import { type ReadNeeds, recordRead } from '../audit/record-read.ts';
import { coordinatesKey, selects } from '../contract/coordinates.ts';
import { decodeCursor, encodeCursor, type Page } from '../contract/page.ts';
import type { ListSecretsQuery, SecretMetadata } from '../contract/secrets.ts';
import { type Log, logEntryOf } from '../http/problem.ts';
import { readRecord, toMetadata } from './secret-record.ts';
import type { SecretStore, StoredSecret } from './secret-store.ts';

interface Needs extends ReadNeeds {
  readonly secrets: Pick<SecretStore, 'list' | 'due'>;
  readonly log: Log;
}

const DAY_MS = 24 * 60 * 60 * 1000;
const DUE_AT_ONCE = 500;

/**
 * The secrets that a caller may see, by name. One whose row is damaged is left out and logged: it must not hide
 * the others, and asking for it by name says `decryption_failed`.
 * @throws SecretsError `forbidden`, `validation`
 */
export async function listSecrets(
  needs: Needs,
  caller: Caller,
  request: ListSecretsQuery,
): Promise<Page<SecretMetadata>> {
  await demand(needs, caller, 'read');
  const { limit, cursor, due_within_days } = request;
  const wanted = filterOf(needs.now(), caller, request);
  const after =
    cursor === undefined ? undefined : decodeCursor(cursor, /^[A-Za-z][^#\s]*#[a-z]+#[a-z0-9-]*#\S*$/);
  // One more than asked for tells whether there is a next page.
  const found =
    due_within_days === undefined
      ? await listed(needs, caller, request, after, wanted)
      : await dueByName(needs, caller, due_within_days, after, wanted);
  await recordRead(needs, caller, 'list');
  const items = found.slice(0, limit);
  const last = items.at(-1);
  return {
    items: items.flatMap((secret) => readableMetadata(needs, caller, secret)),
    ...(found.length > limit && last !== undefined ? { next: encodeCursor(coordinatesKey(last.at)) } : {}),
  };
}

function readableMetadata({ log }: Needs, caller: Caller, secret: StoredSecret): SecretMetadata[] {
  try {
    return [toMetadata(caller, secret.at, readRecord(secret), secret.last_accessed_at)];
  } catch (error) {
    log({ level: 'error', org: caller.org, secret: coordinatesKey(secret.at), ...logEntryOf(error) });
    return [];
  }
}

/** Reads on until there is one secret more than the page holds. */
async function listed(
  needs: Needs,
  { org }: Caller,
  { prefix = '', limit }: ListSecretsQuery,
  start: string | undefined,
  wanted: Wanted,
): Promise<StoredSecret[]> {
  const found: StoredSecret[] = [];
  let after = start;
  do {
    const page = await needs.secrets.list(org, { prefix, after, limit: limit + 1 - found.length });
    found.push(...page.items.filter(wanted));
    after = page.next;
  } while (after !== undefined && found.length <= limit);
  return found;
}

/** All that are due, which an index finds in the order of time, in the order of their names. */
async function dueByName(
  needs: Needs,
  { org }: Caller,
  days: number,
  start: string | undefined,
  wanted: Wanted,
): Promise<StoredSecret[]> {
  const until = new Date(needs.now().getTime() + days * DAY_MS).toISOString();
  const found: [key: string, secret: StoredSecret][] = [];
  let after: string | undefined;
  do {
    const page = await needs.secrets.due(org, { until, after, limit: DUE_AT_ONCE });
    found.push(
      ...page.items.filter(wanted).map((one): (typeof found)[number] => [coordinatesKey(one.at), one]),
    );
    after = page.next;
  } while (after !== undefined);
  return found
    .filter(([key]) => start === undefined || key > start)
    .sort(([one], [two]) => (one < two ? -1 : 1))
    .map(([, secret]) => secret);
}

type Wanted = (secret: StoredSecret) => boolean;

function filterOf(now: Date, caller: Caller, request: ListSecretsQuery): Wanted {
  const { prefix = '' } = request;
  const time = now.toISOString();
  const isUnread = unreadFilter(now, request);
  return (secret) => {
    const { at, deleted_at, purge_at } = secret;
    return (
      at.name.startsWith(prefix) &&
      selects(request, at) &&
      allows(caller, 'read', at) &&
      (deleted_at !== null) === (request.deleted === 'true') &&
      (purge_at === null || purge_at > time) &&
      isUnread(secret)
    );
  };
}

/** Secrets that nobody resolved: a note of the recorder says when somebody did. */
function unreadFilter(now: Date, { unread_days, never_read }: ListSecretsQuery): Wanted {
  if (unread_days === undefined && never_read === 'false') return () => true;
  const before = new Date(now.getTime() - (unread_days ?? 0) * DAY_MS).toISOString();
  return (secret) => {
    const { last_accessed_at } = secret;
    if (never_read === 'true' && last_accessed_at !== null) return false;
    return (last_accessed_at ?? readRecord(secret).created_at) <= before;
  };
}
