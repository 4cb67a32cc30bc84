import type { RoleName } from '../contract/access.ts';
import type { Coordinates } from '../contract/coordinates.ts';
import type { Caller } from './caller.ts';

/** What a caller can try. Routes name one each; records of refusals name it as `attempted`. */
export type Action =
  | 'read'
  | 'read_audit'
  | 'create'
  | 'rotate'
  | 'compare'
  | 'activate'
  | 'abandon'
  | 'prune'
  | 'manage_rotator'
  | 'rollback'
  | 'update'
  | 'delete'
  | 'restore'
  | 'check'
  | 'resolve'
  | 'start_run'
  | 'end_run'
  | 'read_run'
  | 'manage_api_keys'
  | 'manage_organization';

const READ: readonly Action[] = ['read', 'check', 'read_run'];
const WRITE: readonly Action[] = [
  'create',
  'rotate',
  'compare',
  'activate',
  'abandon',
  'prune',
  'rollback',
  'update',
  'delete',
  'restore',
];

/** CONTRACT's table of roles. A run token stands beside the roles: it may what its run needs. */
const permissions: Readonly<Record<RoleName | 'run', ReadonlySet<Action>>> = {
  admin: new Set([
    ...READ,
    'read_audit',
    ...WRITE,
    'end_run',
    'manage_rotator',
    'manage_api_keys',
    'manage_organization',
  ]),
  editor: new Set([...READ, 'read_audit', ...WRITE]),
  viewer: new Set([...READ, 'read_audit']),
  runtime: new Set([...READ, 'resolve', 'start_run', 'end_run']),
  run: new Set([...READ, 'resolve', 'end_run']),
};

/** What shows and touches the whole organization, so that a bound key has no part in it. */
const OF_THE_WHOLE: readonly Action[] = ['read_audit', 'manage_api_keys', 'manage_organization'];

/** Whether a kind of caller may do this at all, wherever. */
export function mayEver(role: RoleName | 'run', action: Action): boolean {
  return permissions[role].has(action);
}

/**
 * Whether a caller may do this; with a target, whether to that secret. Pure: the one place where it is decided.
 * A key bound to pipelines or environments reads what a run within its bounds could resolve, and writes only
 * what serves nothing beyond its bounds.
 */
export function allows(caller: Caller, action: Action, target?: Coordinates): boolean {
  if (!mayEver(caller.kind === 'run' ? 'run' : caller.role, action)) return false;
  if (target !== undefined) return isRead(action) ? reaches(caller, target) : owns(caller, target);
  return !OF_THE_WHOLE.includes(action) || !isBound(caller);
}

/** Everything that a caller may do somewhere; a secret's coordinates can still refuse it. */
export function actionsOf(caller: Caller): Action[] {
  return [...permissions[caller.kind === 'run' ? 'run' : caller.role]].filter((action) =>
    allows(caller, action),
  );
}

function isRead(action: Action): boolean {
  return action === 'read' || action === 'check' || action === 'resolve';
}

function isBound(caller: Caller): boolean {
  return caller.kind === 'run' || caller.pipelines !== null || caller.environments !== null;
}

/** Whether some run of this caller could resolve the secret. */
function reaches(caller: Caller, target: Coordinates): boolean {
  const { environment } = target;
  if (caller.kind === 'run') {
    if (environment !== null && environment !== caller.environment) return false;
    if (target.scope === 'pipeline') return target.pipeline_id === caller.pipeline_id;
    return target.scope === 'org' || target.user === caller.user;
  }
  if (environment !== null && caller.environments !== null && !caller.environments.includes(environment))
    return false;
  return (
    target.scope !== 'pipeline' || caller.pipelines === null || caller.pipelines.includes(target.pipeline_id)
  );
}

/** Whether the secret serves only what is within the caller's bounds. */
function owns(caller: Caller, target: Coordinates): boolean {
  if (caller.kind === 'run') return false;
  const { pipelines, environments } = caller;
  if (environments !== null && (target.environment === null || !environments.includes(target.environment)))
    return false;
  return pipelines === null || (target.scope === 'pipeline' && pipelines.includes(target.pipeline_id));
}

/** Whether a caller may act for this place: where a run runs, or a resolve asks for. */
export function allowsPlace(
  caller: Caller,
  place: { environment: string; pipeline_id: string | null; user: string | null; run_id: string | null },
): boolean {
  if (caller.kind === 'run') {
    return (
      place.environment === caller.environment &&
      place.pipeline_id === caller.pipeline_id &&
      place.user === caller.user &&
      place.run_id === caller.run_id
    );
  }
  if (caller.environments !== null && !caller.environments.some((allowed) => allowed === place.environment))
    return false;
  return caller.pipelines === null || caller.pipelines.some((allowed) => allowed === place.pipeline_id);
}
