import type { Caller } from '../access/caller.ts';
import { allowsPlace } from '../access/roles.ts';
import { type DemandNeeds, demand, refusal } from '../audit/demand.ts';
import type { Coordinates } from '../contract/coordinates.ts';
import { invalid, SecretsError } from '../contract/errors.ts';
import type {
  EnvironmentName,
  OrganizationId,
  PipelineId,
  RunId,
  SecretName,
  UserId,
} from '../contract/ids.ts';
import { pathText, type Reference, type ScannedConfig, scanConfig } from '../contract/references.ts';
import { limits, type ResolveRequest } from '../contract/resolve.ts';
import { known } from './create-secret.ts';
import { readRecord, type SecretRecord } from './secret-record.ts';
import type { SecretStore, StoredSecret } from './secret-store.ts';

export interface FindNeeds extends DemandNeeds {
  readonly secrets: Pick<SecretStore, 'findMany' | 'list'>;
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

/** What a config asks for, and which secret serves each name. */
export interface FoundReferences {
  readonly place: Place;
  readonly scanned: ScannedConfig;
  /** Bytes of the config as JSON. */
  readonly configBytes: number;
  /** The secret that each name means here; names without one are absent. */
  readonly chosen: ReadonlyMap<SecretName, Candidate>;
  /** Every row that was looked at in choosing, deleted ones too: a resolve proves them all. */
  readonly considered: readonly Candidate[];
}

/**
 * Finds a config's references and the secret of each. Opens nothing.
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
  const names = [...new Set([...scanned.references.values()].map(({ name }) => name))];
  const wanted = names.flatMap((name) => candidatesOf(name, place));
  const rows = wanted.length === 0 ? [] : await needs.secrets.findMany(caller.org, wanted);
  const considered = rows.map((stored) => ({ stored, record: readRecord(stored) }));
  return { place, scanned, configBytes, chosen: choose(considered), considered };
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

/** The coordinates that may serve a name here, the one that wins first: CONTRACT's order. */
export function candidatesOf(name: SecretName, { environment, pipeline_id, user }: Place): Coordinates[] {
  const scopes = [
    ...(pipeline_id === null ? [] : [{ scope: 'pipeline', pipeline_id } as const]),
    ...(user === null ? [] : [{ scope: 'user', user } as const]),
    { scope: 'org' } as const,
  ];
  return scopes.flatMap((scope) => [
    { ...scope, name, environment },
    { ...scope, name, environment: null },
  ]);
}

const SCOPE_RANK = { pipeline: 0, user: 1, org: 2 } as const;

function rank({ stored: { at } }: Candidate): number {
  return SCOPE_RANK[at.scope] * 2 + (at.environment === null ? 1 : 0);
}

/** Of the rows of each name, the one that {@link candidatesOf} puts first and that was not deleted. */
function choose(rows: readonly Candidate[]): Map<SecretName, Candidate> {
  const chosen = new Map<SecretName, Candidate>();
  for (const row of rows) {
    if (row.record.deleted_at !== null) continue;
    const before = chosen.get(row.stored.at.name);
    if (before === undefined || rank(row) < rank(before)) chosen.set(row.stored.at.name, row);
  }
  return chosen;
}

// Bounds on the search for a near name: a hostile config must not buy more work than an honest one.
const NAMES_CONSIDERED = 1000;
const HINTS = 10;
const LONGEST_HINTED = 48;

/** For names that mean nothing here, the nearest one that does; for the first few, since it is only a hint. */
export async function nearestNames(
  needs: Pick<FindNeeds, 'secrets'>,
  org: OrganizationId,
  place: Place,
  missing: readonly Reference[],
): Promise<ReadonlyMap<SecretName, SecretName>> {
  const { items } = await needs.secrets.list(org, { prefix: '', after: undefined, limit: NAMES_CONSIDERED });
  const usable = new Set(items.filter((stored) => serves(stored, place)).map(({ at }) => at.name));
  const nearest = new Map<SecretName, SecretName>();
  for (const { name } of missing.slice(0, HINTS)) {
    const near = [...usable].filter((other) => Math.max(other.length, name.length) <= LONGEST_HINTED);
    const ranked = near.map((other) => ({ other, distance: editDistance(name, other) }));
    const best = ranked.sort((a, b) => a.distance - b.distance)[0];
    if (best !== undefined && best.distance <= Math.max(2, name.length / 3)) nearest.set(name, best.other);
  }
  return nearest;
}

function serves({ at, deleted_at }: StoredSecret, { environment, pipeline_id, user }: Place): boolean {
  if (deleted_at !== null || (at.environment !== null && at.environment !== environment)) return false;
  if (at.scope === 'pipeline') return at.pipeline_id === pipeline_id;
  return at.scope === 'org' || at.user === user;
}

/** Levenshtein's distance, one row at a time. */
export function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substituted = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(substituted, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
