import type { AuditAction } from '../contract/audit.ts';
import type { AuditRecord } from './chain.ts';
import type { AuditEvent, AuditedSecret } from './event.ts';

/** The class "API Activity" of the category "Application Activity" (OCSF 1.3). */
const API_ACTIVITY = 6003;
const CATEGORY = 6;
const VERSION = '1.3.0';
const INFORMATIONAL = 1;
const MEDIUM = 3;

const CREATE = 1;
const READ = 2;
const UPDATE = 3;
const DELETE = 4;
const OTHER = 99;

const activities: Partial<Record<AuditAction, number>> = {
  create: CREATE,
  create_api_key: CREATE,
  create_organization: CREATE,
  start_run: CREATE,
  rotate: UPDATE,
  rollback: UPDATE,
  update: UPDATE,
  restore: UPDATE,
  update_organization: UPDATE,
  end_run: UPDATE,
  delete: DELETE,
  purge: DELETE,
  revoke_api_key: DELETE,
  denied: OTHER,
};

/** A record as an event of the Open Cybersecurity Schema Framework. docs/audit.md has the table of fields. */
export function ocsfLine({ event, sequence }: AuditRecord): string {
  const activity_id = activities[event.action] ?? READ;
  const succeeded = event.outcome === 'success';
  const why = event.reason ?? event.secrets.find(({ problem }) => problem !== undefined)?.problem;
  return JSON.stringify({
    class_uid: API_ACTIVITY,
    category_uid: CATEGORY,
    activity_id,
    type_uid: API_ACTIVITY * 100 + activity_id,
    time: Date.parse(event.timestamp),
    severity_id: event.outcome === 'denied' ? MEDIUM : INFORMATIONAL,
    status_id: succeeded ? 1 : 2,
    status: succeeded ? 'Success' : 'Failure',
    status_code: event.outcome,
    status_detail: why,
    metadata: {
      version: VERSION,
      product: { name: 'FlowMason Secrets', vendor_name: 'FlowMason' },
      uid: event.id,
      sequence,
      tenant_uid: event.org,
    },
    actor: actorOf(event),
    api: { operation: event.attempted ?? event.action, request: { uid: event.request_id ?? event.id } },
    src_endpoint: event.ip_address === undefined ? { name: 'unknown' } : { ip: event.ip_address },
    resources: event.secrets.map(resourceOf),
    unmapped: unmappedOf(event),
  });
}

function actorOf({ user, api_key_id, run_id }: AuditEvent) {
  return {
    user: { name: user ?? 'unknown', type_id: 0, credential_uid: api_key_id },
    ...(run_id === undefined ? {} : { session: { uid: run_id } }),
  };
}

function resourceOf({ name, scope, owner, environment, version }: AuditedSecret) {
  return {
    name,
    type: 'secret',
    version: version === undefined ? undefined : String(version),
    namespace: environment ?? undefined,
    labels: [
      ...(scope === undefined ? [] : [`scope:${scope}`]),
      ...(owner === undefined ? [] : [`owner:${owner}`]),
    ],
  };
}

function unmappedOf({ pipeline_id, environment, about, action }: AuditEvent) {
  return { action, pipeline_id, run_environment: environment, about };
}
