import type * as z from 'zod';
import type { ApiKeyRecord, ApiKeyState } from '../access/api-key.ts';
import type { Caller } from '../access/caller.ts';
import type { CallerStore } from '../access/caller-store.ts';
import { allows } from '../access/roles.ts';
import { demand } from '../audit/demand.ts';
import { type AuditedSecret, auditedSecret } from '../audit/event.ts';
import type { AuditLog } from '../audit/log.ts';
import { type ReadNeeds, recordRead } from '../audit/record-read.ts';
import { type FoundRecord, searchLog } from '../audit/search-log.ts';
import type { AccessQuery, secretAccess } from '../contract/access.ts';
import { type Coordinates, coordinatesKey, describeCoordinates } from '../contract/coordinates.ts';
import { type Located, type LocateNeeds, locate } from './locate.ts';

interface Needs extends LocateNeeds, ReadNeeds {
  readonly auditLog: Pick<AuditLog, 'blocks' | 'readMany'>;
  readonly callers: ReadNeeds['callers'] & Pick<CallerStore<never>, 'listApiKeys'>;
}

type SecretAccess = z.infer<typeof secretAccess>;

const DAY_MS = 24 * 60 * 60 * 1000;
const KEYS_AT_ONCE = 100;
/** The newest so many resolves of the name are looked at. */
const RESOLVES = 1000;

/**
 * Who may resolve a secret, by keys in force and their bounds, and who did.
 * @throws SecretsError `forbidden`, `not_found`, `ambiguous_secret`, `unavailable`
 */
export async function describeAccess(
  needs: Needs,
  caller: Caller,
  request: Located & AccessQuery,
): Promise<SecretAccess> {
  await demand(needs, caller, 'manage_api_keys');
  const { at, last_accessed_at } = await locate(needs, caller, 'read', request);
  const from = new Date(needs.now().getTime() - request.days * DAY_MS).toISOString();
  const filter = { secret_name: at.name, action: 'access', outcome: 'success', from } as const;
  const found = await searchLog(needs.auditLog, caller.org, filter, RESOLVES, undefined);
  const can = await keysFor(needs, caller, at);
  await recordRead(needs, caller, 'read', [auditedSecret(at)], { about: 'access' });
  return {
    name: at.name,
    ...describeCoordinates(at),
    last_accessed_at,
    can_resolve: can,
    did_resolve: usesOf(found, at),
    complete: found.length < RESOLVES,
  };
}

/** The keys whose runs could resolve it. */
async function keysFor(needs: Needs, { org }: Caller, at: Coordinates): Promise<SecretAccess['can_resolve']> {
  const found: SecretAccess['can_resolve'] = [];
  let after: string | undefined;
  do {
    const page = await needs.callers.listApiKeys(org, KEYS_AT_ONCE, after);
    for (const key of page.items)
      if (isInForce(key, needs.now()) && allows(standingFor(key), 'resolve', at)) found.push(described(key));
    after = page.next;
  } while (after !== undefined);
  return found;
}

function isInForce({ revoked_at, expires_at }: ApiKeyRecord & ApiKeyState, now: Date): boolean {
  return revoked_at === null && (expires_at === null || Date.parse(expires_at) > now.getTime());
}

/** Who a key stands for, when it asks. */
function standingFor({ org, id, role, name, subject, pipelines, environments }: ApiKeyRecord): Caller {
  const origin = { request_id: '', ip_address: null, idempotency: null };
  const identity = { org, key_id: id, role, subject: subject ?? name, pipelines, environments };
  return { kind: 'api-key', ...identity, ...origin };
}

function described(key: ApiKeyRecord & ApiKeyState): SecretAccess['can_resolve'][number] {
  const { id, name, role, pipelines, environments, expires_at, last_used_at } = key;
  const bounds = { pipelines: pipelines && [...pipelines], environments: environments && [...environments] };
  return { api_key_id: id, name, role, ...bounds, expires_at, last_used_at };
}

type Use = SecretAccess['did_resolve'][number];

/** Who resolved it: each key, user and pipeline once, the last first. */
function usesOf(found: readonly FoundRecord[], at: Coordinates): Use[] {
  const uses = new Map<string, Use>();
  const { owner } = auditedSecret(at);
  const isIt = (secret: AuditedSecret) =>
    `${secret.name}#${secret.scope}#${secret.environment ?? ''}#${secret.owner ?? ''}` ===
      coordinatesKey(at) && secret.owner === owner;
  for (const { record } of found) {
    const { api_key_id = null, user = null, pipeline_id = null, timestamp, secrets } = record.event;
    const versions = secrets.filter(isIt).flatMap(({ version }) => version ?? []);
    if (versions.length === 0) continue;
    const key = JSON.stringify([api_key_id, user, pipeline_id]);
    const {
      resolves,
      last_at,
      versions: before,
    } = uses.get(key) ?? { resolves: 0, last_at: timestamp, versions: [] };
    const all = [...new Set([...before, ...versions])].sort((a, b) => a - b);
    uses.set(key, { api_key_id, user, pipeline_id, last_at, resolves: resolves + 1, versions: all });
  }
  return [...uses.values()];
}
