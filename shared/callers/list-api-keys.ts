import type * as z from 'zod';
import type { Caller } from '../access/caller.ts';
import type { CallerStore } from '../access/caller-store.ts';
import { demand } from '../audit/demand.ts';
import type { Trail } from '../audit/outbox.ts';
import { type ReadNeeds, recordRead } from '../audit/record-read.ts';
import type { ApiKeyDescription, listApiKeysQuery } from '../contract/access.ts';
import { decodeCursor, encodeCursor, type Page } from '../contract/page.ts';
import { describeApiKey } from './create-api-key.ts';

interface Needs extends ReadNeeds {
  readonly callers: Pick<CallerStore<Trail>, 'listApiKeys' | 'findOrganization'>;
}

/** The organization's API keys, newest first, revoked and expired ones too. @throws SecretsError `forbidden` */
export async function listApiKeys(
  needs: Needs,
  caller: Caller,
  request: z.infer<typeof listApiKeysQuery>,
): Promise<Page<ApiKeyDescription>> {
  await demand(needs, caller, 'manage_api_keys');
  await recordRead(needs, caller, 'list_api_keys');
  const after =
    request.cursor === undefined
      ? undefined
      : decodeCursor(request.cursor, /^[0-9T:.Z-]{20,30} [0-9A-Za-z]{16}$/);
  const { items, next } = await needs.callers.listApiKeys(caller.org, request.limit, after);
  return { items: items.map(describeApiKey), ...(next === undefined ? {} : { next: encodeCursor(next) }) };
}
