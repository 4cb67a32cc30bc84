import type { Caller } from '../access/caller.ts';
import { allowsPlace } from '../access/roles.ts';
import { type DemandNeeds, demand, refusal } from '../audit/demand.ts';
import { coordinatesFor, coordinatesKey } from '../contract/coordinates.ts';
import { invalid, type ReferenceProblem, SecretsError } from '../contract/errors.ts';
import type {
  EnvironmentName,
  OrganizationId,
  PipelineId,
  RunId,
  SecretName,
  UserId,
} from '../contract/ids.ts';
import {
  type Pin,
  pathText,
  type Reference,
  type ScannedConfig,
  scanConfig,
} from '../contract/references.ts';
import { limits, type ResolveRequest } from '../contract/resolve.ts';
import { known } from './create-secret.ts';
import { readRecord, type SecretRecord } from './secret-record.ts';
import type { SecretStore, StoredSecret } from './secret-store.ts';
import { stageOf } from './stages.ts';
import { readVersion, type VersionRecord } from './version-record.ts';

export interface FindNeeds extends DemandNeeds {
  readonly secrets: Pick<SecretStore, 'findMany' | 'findVersions' | 'list'>;
  readonly environments: readonly string[];
}

/** Where a config is resolved for. */
export interface Place {
  readonly environment: EnvironmentName;
  readonly pipeline_id: PipelineId | null;
  readonly user: UserId | null;
  readonly run_id: RunId | null;
}

/** A secret that may serve a name here, with what its record says. */
export interface Candidate {
  readonly stored: StoredSecret;
  readonly record: SecretRecord;
}

/** The version of a secret that serves a reference. */
export interface Use {
  readonly from: Candidate;
  readonly version: VersionRecord;
  readonly sealed: Buffer;
}

/** What serves a reference; or why nothing does. */
export type Finding = Use | ReferenceProblem;

/** What a config asks for, and what serves it. */
export interface FoundReferences {
  readonly place: Place;
  readonly scanned: ScannedConfig;
  /** Bytes of the config as JSON. */
  readonly configBytes: number;
  /** One for each reference. */
  readonly findings: ReadonlyMap<Reference, Finding>;
  /** Every row that was looked at in choosing, deleted ones too: a resolve proves them all. */
  readonly considered: readonly Candidate[];
}

/**
 * Finds a config's references and what serves each. Opens nothing.
 * @throws SecretsError `forbidden`, `validation`, `config_too_deep`, `config_too_large`, `too_many_references`,
 *   `decryption_failed` for a row that cannot be read
 */
export async function findReferences(
  needs: FindNeeds,
  caller: Caller,
  action: 'resolve' | 'check',
  request: ResolveRequest,
): Promise<FoundReferences> {
  await demand(needs, caller, action);
  const place = placeOf(needs, caller, request);
  if (!allowsPlace(caller, place)) {
    const reason =
      caller.kind === 'run'
        ? 'The request names another environment, pipeline, user or run than its run token.'
        : 'This key is bound to other environments or pipelines than the request names.';
    throw await refusal(needs, caller, action, reason, { place });
  }
  const { scanned, configBytes } = scan(request.config);
  const references = [...scanned.references.values()];
  const names = [...new Set(references.map(({ name }) => name))];
  const wanted = names.flatMap((name) => coordinatesFor(name, place));
  const rows = wanted.length === 0 ? [] : await needs.secrets.findMany(caller.org, wanted);
  const considered = rows.map((stored) => ({ stored, record: readRecord(stored) }));
  const findings = await findVersions(needs, caller.org, place, references, choose(considered));
  return { place, scanned, configBytes, findings, considered };
}

/** The version that each reference asks for; older ones by one request for all of them. */
async function findVersions(
  needs: FindNeeds,
  org: OrganizationId,
  place: Place,
  references: readonly Reference[],
  chosen: ReadonlyMap<SecretName, Candidate>,
): Promise<ReadonlyMap<Reference, Finding>> {
  const now = needs.now().toISOString();
  const findings = new Map<Reference, Finding>();
  const older = new Map<Reference, { from: Candidate; version: number }>();
  for (const reference of references) {
    const from = chosen.get(reference.name);
    if (from === undefined) {
      const problem = `no secret of this name serves ${place.environment} here`;
      findings.set(reference, { code: 'not_found', problem });
      continue;
    }
    const version = pinnedVersion(reference.pin, from.record, now);
    if (typeof version === 'object') {
      findings.set(reference, version);
    } else if (version === from.record.current.version) {
      findings.set(reference, { from, version: from.record.current, sealed: from.stored.sealed });
    } else {
      older.set(reference, { from, version });
      // Until it is read; set now, so that findings stand in the order of the config.
      findings.set(reference, { code: 'no_such_version', problem: 'it has no such version' });
    }
  }
  if (older.size === 0) return findings;
  const wanted = [...older.values()].map(({ from, version }) => ({ at: from.stored.at, version }));
  const stored = await needs.secrets.findVersions(org, wanted);
  const byKey = new Map(stored.map((row) => [`${coordinatesKey(row.at)}#${row.version}`, row]));
  for (const [reference, { from, version }] of older) {
    const row = byKey.get(`${coordinatesKey(from.stored.at)}#${version}`);
    if (row !== undefined) findings.set(reference, { from, version: readVersion(row), sealed: row.sealed });
  }
  return findings;
}

/** The number of the version that a pin means, or why there is none. What never went live has no number here. */
function pinnedVersion(pin: Pin, record: SecretRecord, now: string): number | ReferenceProblem {
  const { current, previous, pending } = record;
  switch (pin) {
    case null:
      return current.version;
    case 'previous':
      if (previous !== null && previous.until > now) return previous.version;
      return { code: 'no_previous_version', problem: 'no previous version of it is kept now' };
    case 'pending':
      return pending?.version ?? { code: 'no_pending_version', problem: 'no version of it is pending' };
    default: {
      const stage = stageOf(record, pin);
      if (stage !== 'pending' && stage !== 'abandoned') return pin;
      const how = stage === 'pending' ? 'is not live; it resolves as @pending' : 'was abandoned';
      return { code: 'no_such_version', problem: `version ${pin} of it ${how}` };
    }
  }
}

function placeOf(needs: FindNeeds, caller: Caller, request: ResolveRequest): Place {
  if (caller.kind === 'run') {
    return {
      environment: request.environment ?? caller.environment,
      pipeline_id: request.pipeline_id ?? caller.pipeline_id,
      user: request.user ?? caller.user,
      run_id: request.run_id ?? caller.run_id,
    };
  }
  if (request.environment === undefined) throw invalid('environment', 'is required with an API key');
  return {
    environment: known(needs.environments, 'environment', request.environment),
    pipeline_id: request.pipeline_id ?? null,
    user: request.user ?? null,
    run_id: request.run_id ?? null,
  };
}

function scan(config: unknown): { scanned: ScannedConfig; configBytes: number } {
  const scanned = scanConfig(config, limits.depth);
  if (scanned === null) {
    throw new SecretsError('config_too_deep', `A config may be nested ${limits.depth} levels deep.`);
  }
  const configBytes = Buffer.byteLength(JSON.stringify(config));
  if (configBytes > limits.configBytes) {
    throw new SecretsError(
      'config_too_large',
      `A config may have ${limits.configBytes} bytes of JSON. Resolve its parts.`,
    );
  }
  if (scanned.references.size > limits.references) {
    const detail = `A config may name ${limits.references} different references. Resolve its parts.`;
    throw new SecretsError('too_many_references', detail);
  }
  if (scanned.malformed.length > 0) throw malformed(scanned);
  return { scanned, configBytes };
}

const MAX_ERRORS = 100;

function malformed(scanned: ScannedConfig): SecretsError {
  const errors = scanned.malformed.slice(0, MAX_ERRORS).map((at) => ({
    path: pathText(at),
    message:
      'opens a reference that it does not end; write {{secrets.name}}, or \\{{secrets for the text itself',
  }));
  return new SecretsError(
    'unresolved_references',
    'Some strings are no valid references. Nothing was returned.',
    { errors },
  );
}

const SCOPE_RANK = { pipeline: 0, user: 1, org: 2 } as const;

function rank({ stored: { at } }: Candidate): number {
  return SCOPE_RANK[at.scope] * 2 + (at.environment === null ? 1 : 0);
}

/** Of the rows of each name, the one that {@link coordinatesFor} puts first and that was not deleted. */
function choose(rows: readonly Candidate[]): Map<SecretName, Candidate> {
  const chosen = new Map<SecretName, Candidate>();
  for (const row of rows) {
    if (row.record.deleted_at !== null) continue;
    const before = chosen.get(row.stored.at.name);
    if (before === undefined || rank(row) < rank(before)) chosen.set(row.stored.at.name, row);
  }
  return chosen;
}
