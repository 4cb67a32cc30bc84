import { SecretsError } from '../contract/errors.ts';
import type { ApiKeyId, OrganizationId, RunId } from '../contract/ids.ts';
import type { Page } from '../contract/page.ts';
import type { RotationPolicy } from '../contract/reminders.ts';
import type { ApiKeyRecord, ApiKeyState } from './api-key.ts';
import type { RunRecord } from './run-token.ts';

export interface OrganizationRecord {
  readonly id: OrganizationId;
  readonly created_at: string;
  /** Whether reads of metadata leave a record too. */
  readonly record_reads: boolean;
  readonly rotation_policies: readonly RotationPolicy[];
  /** How long audit records are kept; null for ever. */
  readonly audit_retention_days: number | null;
  /** By the KeyService, in base64; null as long as nothing was set: see `settingsMessage`. */
  readonly settings_signature: string | null;
}

/**
 * Where API keys, runs and organizations are kept. `Trail` is what is written in the same transaction: the
 * audit event, and the answer to a repeated request.
 */
export interface CallerStore<Trail> {
  /** The key of that id, revoked or not; null when there is none. */
  findApiKey(id: ApiKeyId): Promise<(ApiKeyRecord & ApiKeyState) | null>;
  /** @throws SecretsError `idempotency_conflict`, `unavailable` */
  addApiKey(key: ApiKeyRecord, trail: Trail): Promise<void>;
  /** Newest first; `after` is the `next` of the page before. */
  listApiKeys(
    org: OrganizationId,
    limit: number,
    after: string | undefined,
  ): Promise<Page<ApiKeyRecord & ApiKeyState>>;
  /** Revokes for good; a key that is revoked already keeps its first time. @throws SecretsError as above */
  revokeApiKey(org: OrganizationId, id: ApiKeyId, at: string, trail: Trail): Promise<void>;
  /** Notes that a key was used; may be lost in a crash. */
  noteApiKeyUse(id: ApiKeyId, at: string): Promise<void>;

  /** The run of that id; null when there is none. */
  findRun(org: OrganizationId, id: RunId): Promise<RunRecord | null>;
  /** @throws SecretsError `run_exists`, `idempotency_conflict`, `unavailable` */
  addRun(run: RunRecord, trail: Trail): Promise<void>;
  /** Ends a run; one that ended already keeps its first time. @throws SecretsError as above */
  endRun(org: OrganizationId, id: RunId, at: string, trail: Trail): Promise<void>;

  /** @throws SecretsError `organization_exists` */
  addOrganization(organization: OrganizationRecord, firstKey: ApiKeyRecord, trail: Trail): Promise<void>;
  /** The organization of that id; null when there is none. */
  findOrganization(id: OrganizationId): Promise<OrganizationRecord | null>;
  /** Writes an organization's settings. @throws SecretsError `idempotency_conflict`, `unavailable` */
  saveOrganization(organization: OrganizationRecord, trail: Trail): Promise<void>;
  /** Every organization by id, from after an id on. */
  listOrganizations(limit: number, after: string | undefined): Promise<Page<OrganizationRecord>>;
}

/** The refusal of a name that an organization has. */
export function organizationExists(): SecretsError {
  return new SecretsError('organization_exists', 'Choose another name.');
}
