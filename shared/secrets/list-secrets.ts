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
  readonly secrets: Pick<SecretStore, 'list'>;
  readonly log: Log;
}

const DAY_MS = 24 * 60 * 60 * 1000;

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
  const { prefix = '', limit, cursor } = request;
  const wanted = filterOf(needs.now(), caller, request);
  const found: StoredSecret[] = [];
  let after =
    cursor === undefined ? undefined : decodeCursor(cursor, /^[A-Za-z][^#\s]*#[a-z]+#[a-z0-9-]*#\S*$/);
  do {
    // One more than asked for tells whether there is a next page.
    const page = await needs.secrets.list(caller.org, { prefix, after, limit: limit + 1 - found.length });
    found.push(...page.items.filter(wanted));
    after = page.next;
  } while (after !== undefined && found.length <= limit);
  await recordRead(needs, caller, 'list');
  const items = found.slice(0, limit);
  const last = items.at(-1);
  return {
    items: items.flatMap((secret) => readableMetadata(needs, caller, secret)),
    ...(found.length > limit && last !== undefined ? { next: encodeCursor(coordinatesKey(last.at)) } : {}),
  };
}

function readableMetadata({ log }: Needs, { org }: Caller, secret: StoredSecret): SecretMetadata[] {
  try {
    return [toMetadata(secret.at, readRecord(secret), secret.last_accessed_at)];
  } catch (error) {
    log({ level: 'error', org, secret: coordinatesKey(secret.at), ...logEntryOf(error) });
    return [];
  }
}

function filterOf(now: Date, caller: Caller, request: ListSecretsQuery): (secret: StoredSecret) => boolean {
  const { due_within_days: days } = request;
  const dueBefore = days === undefined ? null : new Date(now.getTime() + days * DAY_MS).toISOString();
  const time = now.toISOString();
  return ({ at, deleted_at, purge_at, next_rotation_at }) =>
    selects(request, at) &&
    allows(caller, 'read', at) &&
    (deleted_at !== null) === (request.deleted === 'true') &&
    (purge_at === null || purge_at > time) &&
    (dueBefore === null || (next_rotation_at !== null && next_rotation_at <= dueBefore));
}
