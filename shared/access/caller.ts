import type { RoleName } from '../contract/access.ts';
import type {
  ApiKeyId,
  EnvironmentName,
  OrganizationId,
  PipelineId,
  RunId,
  UserId,
} from '../contract/ids.ts';

/** The request that a caller came with, for its records. */
export interface CallOrigin {
  readonly request_id: string;
  readonly ip_address: string | null;
  /** Set when the request carried an `Idempotency-Key`. */
  readonly idempotency: IdempotencyClaim | null;
}

/** What makes a repeated write recognisable. `fingerprint` is keyed by the caller's own credential. */
export interface IdempotencyClaim {
  readonly key: string;
  readonly fingerprint: string;
}

/** Who an API key stands for, as proven by the key and never by the request's body. */
export interface ApiKeyIdentity {
  readonly kind: 'api-key';
  readonly org: OrganizationId;
  readonly key_id: ApiKeyId;
  readonly role: RoleName;
  /** The name in records: the key's subject, or the key's name when it has none. */
  readonly subject: string;
  readonly pipelines: readonly PipelineId[] | null;
  readonly environments: readonly EnvironmentName[] | null;
}

/** Which run a run token stands for. */
export interface RunIdentity {
  readonly kind: 'run';
  readonly org: OrganizationId;
  readonly run_id: RunId;
  readonly pipeline_id: PipelineId;
  readonly environment: EnvironmentName;
  readonly user: UserId | null;
  /** The key that started the run. */
  readonly key_id: ApiKeyId;
}

/**
 * The pipeline orchestrator of an account, let in by IAM to invoke the resolve function for any run: it stands
 * where a runtime key without bounds stands, and has no key.
 */
export interface OrchestratorIdentity {
  readonly kind: 'orchestrator';
  readonly org: OrganizationId;
  readonly key_id: null;
  readonly role: 'runtime';
  readonly subject: 'orchestrator';
  readonly pipelines: null;
  readonly environments: null;
}

/** The service itself, when a schedule makes it change something. No credential stands for it. */
export interface ScheduleIdentity {
  readonly kind: 'schedule';
  readonly org: OrganizationId;
  readonly key_id: null;
  readonly role: 'viewer';
  readonly subject: 'schedule';
  readonly pipelines: null;
  readonly environments: null;
}

export type Identity = ApiKeyIdentity | RunIdentity | OrchestratorIdentity | ScheduleIdentity;

/** Who asks now. */
export type Caller = Identity & CallOrigin;

/** The name of a caller in `created_by`, `rotated_by` and the like. */
export function subjectOf(caller: Caller): string {
  return caller.kind === 'run' ? (caller.user ?? caller.run_id) : caller.subject;
}

/** The service itself as a caller, for the records of what it does on schedule. @param runId of this run of it */
export function scheduleCaller(org: OrganizationId, runId: string): Caller {
  const identity = { kind: 'schedule', org, key_id: null, role: 'viewer', subject: 'schedule' } as const;
  const unbound = { pipelines: null, environments: null };
  return { ...identity, ...unbound, request_id: runId, ip_address: null, idempotency: null };
}
