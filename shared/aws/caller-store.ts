import type { ApiKeyRecord, ApiKeyState } from '../access/api-key.ts';
import { type CallerStore, type OrganizationRecord, organizationExists } from '../access/caller-store.ts';
import type { RunRecord } from '../access/run-token.ts';
import type { Trail } from '../audit/outbox.ts';
import { SecretsError } from '../contract/errors.ts';
import type { ApiKeyId, OrganizationId, RunId } from '../contract/ids.ts';
import type { Page } from '../contract/page.ts';
import {
  type Expression,
  exists,
  type Item,
  isNew,
  setAll,
  type Write,
  withoutNulls,
} from './expressions.ts';
import { unavailable } from './failures.ts';
import type { Table } from './table.ts';
import { apiKeyKey, daysAfter, type Key, listings, organizationKey, runKey } from './table-layout.ts';
import { carriedOutMeanwhile, trailWrites } from './trail.ts';

/** What a run was is known from the audit log for ever; its item only as long as somebody may ask for its end. */
const RUN_DAYS = 400;

interface ApiKeyItem extends Key {
  /** The record as JSON: what is signed is kept as it is. */
  readonly api_key: string;
  readonly org: OrganizationId;
  readonly last_used_at?: string;
  readonly revoked_at?: string;
  readonly listing_at: string;
}

/** What items of older versions do not have. */
type OptionalSetting = 'rotation_policies' | 'audit_retention_days' | 'settings_signature';

interface OrganizationItem
  extends Key,
    Omit<OrganizationRecord, 'id' | OptionalSetting>,
    Partial<Pick<OrganizationRecord, OptionalSetting>> {
  readonly listing_at: OrganizationId;
  /** Absent in items of before there were any. */
}

/** API keys, runs and organizations in DynamoDB. */
export class DynamoCallerStore implements CallerStore<Trail> {
  readonly #table: Table;

  constructor(table: Table) {
    this.#table = table;
  }

  async findApiKey(id: ApiKeyId): Promise<(ApiKeyRecord & ApiKeyState) | null> {
    const item = await this.#table.get<ApiKeyItem>(apiKeyKey(id));
    return item === undefined ? null : toApiKey(item);
  }

  async addApiKey(key: ApiKeyRecord, trail: Trail): Promise<void> {
    const refused = await this.#table.transact([putApiKey(key), ...trailWrites(trail)]);
    if (refused === 0) throw unavailable();
    if (refused !== null) throw carriedOutMeanwhile();
  }

  async listApiKeys(
    org: OrganizationId,
    limit: number,
    after: string | undefined,
  ): Promise<Page<ApiKeyRecord & ApiKeyState>> {
    // Inclusive, so the last item of the page before comes again and is left out.
    const range = { from: '0', to: after ?? '9' };
    const options = { limit: limit + 2, descending: true, inIndex: true };
    const found = await this.#table.query<ApiKeyItem>(listings.apiKeys(org), range, options);
    const rest = found.filter(({ listing_at }) => listing_at !== after);
    const items = rest.slice(0, limit).map(toApiKey);
    const last = rest[limit - 1];
    return rest.length > limit && last !== undefined ? { items, next: last.listing_at } : { items };
  }

  async revokeApiKey(org: OrganizationId, id: ApiKeyId, at: string, trail: Trail): Promise<void> {
    const when = { text: '#org = :org', names: ['org'], values: { org } };
    await this.#changeIf({ update: apiKeyKey(id), change: setOnce('revoked_at', at), when }, trail);
  }

  async noteApiKeyUse(id: ApiKeyId, at: string): Promise<void> {
    await this.#table.update(apiKeyKey(id), setAll({ last_used_at: at }), exists);
  }

  async findRun(org: OrganizationId, id: RunId): Promise<RunRecord | null> {
    const item = await this.#table.get<{ run: string; ended_at?: string }>(runKey(org, id));
    if (item === undefined) return null;
    return { ...(JSON.parse(item.run) as RunRecord), ended_at: item.ended_at ?? null };
  }

  async addRun(run: RunRecord, trail: Trail): Promise<void> {
    const refused = await this.#table.transact([{ put: runItem(run), when: isNew }, ...trailWrites(trail)]);
    if (refused === 0)
      throw new SecretsError('run_exists', 'Every execution has an id of its own. Choose another run_id.');
    if (refused !== null) throw carriedOutMeanwhile();
  }

  async endRun(org: OrganizationId, id: RunId, at: string, trail: Trail): Promise<void> {
    await this.#changeIf({ update: runKey(org, id), change: setOnce('ended_at', at), when: exists }, trail);
  }

  async addOrganization(
    organization: OrganizationRecord,
    firstKey: ApiKeyRecord,
    trail: Trail,
  ): Promise<void> {
    const put = organizationItem(organization);
    const writes = [{ put, when: isNew }, putApiKey(firstKey), ...trailWrites(trail)];
    const refused = await this.#table.transact(writes);
    if (refused === 0) throw organizationExists();
    if (refused === 1) throw unavailable();
    if (refused !== null) throw carriedOutMeanwhile();
  }

  async findOrganization(id: OrganizationId): Promise<OrganizationRecord | null> {
    const item = await this.#table.get<OrganizationItem>(organizationKey(id));
    return item === undefined ? null : toOrganization(item);
  }

  async saveOrganization(organization: OrganizationRecord, trail: Trail): Promise<void> {
    const { id, created_at: _made, ...settings } = organization;
    const change = setAll(settings);
    await this.#changeIf({ update: organizationKey(id), change, when: exists }, trail);
  }

  async listOrganizations(limit: number, after: string | undefined): Promise<Page<OrganizationRecord>> {
    // A space sorts before every character of an id.
    const range = { from: after === undefined ? '-' : `${after} `, to: '~' };
    const options = { limit: limit + 1, inIndex: true };
    const found = await this.#table.query<OrganizationItem>(listings.organizations, range, options);
    const items = found.slice(0, limit).map(toOrganization);
    const last = items.at(-1);
    return found.length > limit && last !== undefined ? { items, next: last.id } : { items };
  }

  /** Makes a change with its trail, or leaves the trail alone where there is nothing to change. */
  async #changeIf(change: Write, trail: Trail): Promise<void> {
    let refused = await this.#table.transact([change, ...trailWrites(trail)]);
    if (refused === null) return;
    if (refused > 0) throw carriedOutMeanwhile();
    refused = await this.#table.transact(trailWrites(trail));
    if (refused !== null) throw carriedOutMeanwhile();
  }
}

function putApiKey(key: ApiKeyRecord): Write {
  return { put: apiKeyItem(key), when: isNew };
}

/** A key as an item; what happened to it stands beside it. */
export function apiKeyItem(key: ApiKeyRecord): Item {
  return {
    ...apiKeyKey(key.id),
    api_key: JSON.stringify(key),
    org: key.org,
    listing: listings.apiKeys(key.org),
    listing_at: `${key.created_at} ${key.id}`,
  };
}

/** A run as an item; its end stands beside it. */
export function runItem(run: RunRecord): Item {
  const expires = daysAfter(run.expires_at, RUN_DAYS);
  return { ...runKey(run.org, run.run_id), run: JSON.stringify(run), expires };
}

/** An organization as an item. */
export function organizationItem({ id, created_at, ...settings }: OrganizationRecord): Item {
  const listed = { listing: listings.organizations, listing_at: id };
  return withoutNulls({ ...organizationKey(id), created_at, ...settings, ...listed });
}

/** Sets an attribute that then keeps its first value. */
function setOnce(name: string, value: string): Expression {
  return {
    text: `SET #${name} = if_not_exists(#${name}, :${name})`,
    names: [name],
    values: { [name]: value },
  };
}

function toApiKey({ api_key, last_used_at, revoked_at }: ApiKeyItem): ApiKeyRecord & ApiKeyState {
  const record = JSON.parse(api_key) as ApiKeyRecord;
  return { ...record, last_used_at: last_used_at ?? null, revoked_at: revoked_at ?? null };
}

function toOrganization(item: OrganizationItem): OrganizationRecord {
  const { listing_at: id, created_at, record_reads, rotation_policies = [] } = item;
  const { audit_retention_days = null, settings_signature = null } = item;
  return { id, created_at, record_reads, rotation_policies, audit_retention_days, settings_signature };
}
