import type { Caller } from '../access/caller.ts';
import type { AuditAction, AuditOutcome } from '../contract/audit.ts';
import { type Coordinates, describeCoordinates } from '../contract/coordinates.ts';
import type { EnvironmentName, OrganizationId } from '../contract/ids.ts';

/** A secret that an event touched. */
export interface AuditedSecret {
  readonly name: string;
  readonly scope?: Coordinates['scope'];
  readonly owner?: string;
  readonly environment?: EnvironmentName | null;
  readonly version?: number;
  /** Of its head, when the event wrote it: who puts an older head back is found by it. */
  readonly revision?: number;
  /** In how many places of the config it was named. */
  readonly places?: number;
  /** Why this one failed, when it did. */
  readonly problem?: string;
}

/** What a use-case says happened. Becomes an audit record when it is given its place in the chain. */
export interface AuditEvent {
  readonly id: string;
  readonly org: OrganizationId;
  readonly timestamp: string;
  readonly action: AuditAction;
  readonly outcome: AuditOutcome;
  readonly secrets: readonly AuditedSecret[];
  readonly user?: string;
  readonly api_key_id?: string;
  readonly run_id?: string;
  readonly pipeline_id?: string;
  /** Where the run runs. */
  readonly environment?: string;
  readonly ip_address?: string;
  readonly request_id?: string;
  /** What a denied caller tried. */
  readonly attempted?: string;
  readonly reason?: string;
  /** The API key or organization that it is about. */
  readonly about?: string;
}

interface Clock {
  readonly now: () => Date;
  readonly newId: () => string;
}

/** The part of an event that only the use-case knows. */
export type Happening = Pick<AuditEvent, 'action'> &
  Partial<Pick<AuditEvent, 'outcome' | 'secrets' | 'attempted' | 'reason' | 'about'>> & {
    /** Where it happened, when the caller's own run does not say. */
    readonly place?: {
      readonly run_id?: string | null | undefined;
      readonly pipeline_id?: string | null | undefined;
      readonly environment?: string | null | undefined;
      readonly user?: string | null | undefined;
    };
  };

/** An event of a caller, now. */
export function eventOf(clock: Clock, caller: Caller, happening: Happening): AuditEvent {
  const {
    place = caller.kind === 'run' ? caller : {},
    outcome = 'success',
    secrets = [],
    ...what
  } = happening;
  const user = place.user ?? (caller.kind === 'run' ? null : caller.subject);
  return {
    id: clock.newId(),
    org: caller.org,
    timestamp: clock.now().toISOString(),
    outcome,
    secrets,
    ...(user === null ? {} : { user }),
    ...(caller.key_id === null ? {} : { api_key_id: caller.key_id }),
    ...(place.run_id ? { run_id: place.run_id } : {}),
    ...(place.pipeline_id ? { pipeline_id: place.pipeline_id } : {}),
    ...(place.environment ? { environment: place.environment } : {}),
    ...(caller.ip_address ? { ip_address: caller.ip_address } : {}),
    request_id: caller.request_id,
    ...what,
  };
}

/** A secret at its coordinates, for an event. */
export function auditedSecret(at: Coordinates, version?: number, revision?: number): AuditedSecret {
  const { scope, environment, pipeline_id, user } = describeCoordinates(at);
  const owner = pipeline_id ?? user;
  return {
    name: at.name,
    scope,
    environment,
    ...(owner === null ? {} : { owner }),
    ...(version === undefined ? {} : { version }),
    ...(revision === undefined ? {} : { revision }),
  };
}
