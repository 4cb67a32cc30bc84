import type * as z from 'zod';
import type { Caller } from '../access/caller.ts';
import type { SecretMetadata } from '../contract/secrets.ts';
import type { pruneSecretRequest, pruneSecretResponse } from '../contract/stages.ts';
import { commitChange, untilSaved, type WriteNeeds } from './change-secret.ts';
import { type Located, locate } from './locate.ts';
import { readRecord, type SecretRecord } from './secret-record.ts';
import { REMOVED_AT_ONCE, type StoredSecret } from './secret-store.ts';
import { mayGoAt, pruneBelow, stageOf } from './stages.ts';
import { sameVersionOf } from './update-secret.ts';
import { readVersion } from './version-record.ts';

type Response = z.infer<typeof pruneSecretResponse>;
type Prunable = Response['versions'][number];

/**
 * Removes for good the versions that are neither among the newest 100 nor younger than 90 days nor labelled; with
 * `dry_run` it only lists them.
 * @throws SecretsError `forbidden`, `not_found`, `ambiguous_secret`, `unavailable`
 */
export async function pruneSecret(
  needs: WriteNeeds,
  caller: Caller,
  request: Located & z.infer<typeof pruneSecretRequest>,
): Promise<Response> {
  const versions: Prunable[] = [];
  for (;;) {
    const found = await locate(needs, caller, 'prune', request);
    const { now } = await excessOf(needs, caller, found);
    if (request.dry_run) return { pruned: false, versions: [...now] };
    if (now.length === 0) return { pruned: true, versions };
    const gone = await untilSaved(async () =>
      pruneOnce(needs, caller, await locate(needs, caller, 'prune', request)),
    );
    versions.push(...gone);
  }
}

/** Removes as many as one change may. @returns those; null when the secret was changed since it was read */
export async function pruneOnce(
  needs: WriteNeeds,
  caller: Caller,
  before: StoredSecret,
): Promise<readonly Prunable[] | null> {
  const { now, next } = await excessOf(needs, caller, before);
  const gone = now.slice(0, REMOVED_AT_ONCE);
  const removed = gone.map(({ version }) => version);
  const change = sameVersionOf(before, { action: 'prune', reason: 'Old versions' }, 200);
  const abandoned = change.record.abandoned.filter((version) => !removed.includes(version));
  const prune_at = now.length > gone.length ? (now[gone.length]?.may_go_at ?? null) : next;
  const record = { ...change.record, abandoned, prune_at };
  const saved: SecretMetadata | null = await commitChange(needs, caller, {
    ...change,
    record,
    removed,
    touched: removed,
  });
  return saved === null ? null : gone;
}

const PAGE = 50;

/** The versions that may go now, the oldest first; and when the next one may. */
async function excessOf(
  needs: Pick<WriteNeeds, 'secrets' | 'now'>,
  { org }: Caller,
  found: StoredSecret,
): Promise<{ readonly now: readonly Prunable[]; readonly next: string | null }> {
  const record = readRecord(found);
  const time = needs.now().toISOString();
  const excess: Prunable[] = [];
  let below: number | undefined = pruneBelow(record);
  while (below !== undefined && below > 1) {
    const page = await needs.secrets.versions(org, found.at, { limit: PAGE, below });
    excess.push(
      ...page.items
        .map(readVersion)
        .filter((row) => isUnlabelled(record, row.version))
        .map(describe),
    );
    below = page.next === undefined ? undefined : Number(page.next);
  }
  const sorted = excess.sort((a, b) => a.version - b.version);
  const next = sorted.map(({ may_go_at }) => may_go_at).filter((at) => at > time);
  return { now: sorted.filter(({ may_go_at }) => may_go_at <= time), next: next.sort()[0] ?? null };
}

function isUnlabelled(record: SecretRecord, version: number): boolean {
  const stage = stageOf(record, version);
  return stage === null || stage === 'abandoned';
}

function describe({ version, created_at }: { version: number; created_at: string }): Prunable {
  return { version, created_at, may_go_at: mayGoAt(created_at) };
}
