import type { RunUse } from '../../shared/contract/access.ts';
import type { HistoryEntry, SecretMetadata } from '../../shared/contract/secrets.ts';
import { call } from './api.ts';
import { selectorOf } from './place.ts';
import { may } from './session.ts';

/** One secret as its page shows it. */
export interface Detail {
  readonly secret: SecretMetadata;
  readonly history: readonly HistoryEntry[];
  /** Null when this key may not know. */
  readonly uses: readonly PipelineUse[] | null;
}

/** The runs of one pipeline in one environment that used a secret. */
export interface PipelineUse {
  readonly pipeline: string;
  readonly environment: string;
  readonly runs: readonly RunUse[];
}

const RUNS = 500;

/** @throws Problem */
export async function readDetail(
  name: string,
  selector: Readonly<Record<string, string>>,
  known: SecretMetadata | undefined,
  signal: AbortSignal,
): Promise<Detail> {
  const secret =
    known?.deleted_at != null
      ? known
      : await call<SecretMetadata>('GET', `/secrets/${name}`, { query: selector, signal });
  const [history, runs] = await Promise.all([
    secret.deleted_at === null
      ? call<HistoryEntry[]>('GET', `/secrets/${name}/history`, {
          query: { ...selectorOf(secret), limit: 1000 },
          signal,
        })
      : [],
    may('read_audit')
      ? call<RunUse[]>('GET', '/runs', { query: { secret_name: name, limit: RUNS }, signal })
      : null,
  ]);
  return { secret, history, uses: runs && usesOf(secret, runs) };
}

/** By pipeline, latest first. Runs are known by the secret's name: those that cannot have meant this one are left out. */
function usesOf(secret: SecretMetadata, runs: readonly RunUse[]): readonly PipelineUse[] {
  const groups = new Map<string, RunUse[]>();
  for (const run of runs) {
    if (secret.environment !== null && run.environment !== secret.environment) continue;
    if (secret.scope === 'pipeline' && run.pipeline_id !== secret.pipeline_id) continue;
    if (secret.scope === 'user' && run.user !== secret.user) continue;
    const key = `${run.pipeline_id ?? ''} ${run.environment ?? ''}`;
    groups.set(key, [...(groups.get(key) ?? []), run]);
  }
  return [...groups.values()].map((group) => ({
    pipeline: group[0]?.pipeline_id ?? 'no pipeline',
    environment: group[0]?.environment ?? '',
    runs: group,
  }));
}

/** The flags of `fm` that say which secret of a name is meant. */
export function flagsOf(secret: SecretMetadata): string {
  const parts = [
    secret.pipeline_id === null ? '' : ` --pipeline ${quote(secret.pipeline_id)}`,
    secret.user === null ? '' : ` --user ${quote(secret.user)}`,
    secret.environment === null ? '' : ` --env ${secret.environment}`,
  ];
  return parts.join('');
}

/** Ids may hold `|`, which a shell reads for itself. */
function quote(id: string): string {
  return /^[\w.:@+/=-]+$/.test(id) ? id : `'${id}'`;
}
