import type { OrganizationId, SecretName } from '../contract/ids.ts';
import type { Reference } from '../contract/references.ts';
import type { Place } from './find-references.ts';
import type { SecretStore, StoredSecret } from './secret-store.ts';

// Bounds on the search for a near name: a hostile config must not buy more work than an honest one.
const NAMES_CONSIDERED = 1000;
const HINTS = 10;
const LONGEST_HINTED = 48;

/** For names that mean nothing here, the nearest one that does; for the first few, since it is only a hint. */
export async function nearestNames(
  needs: { readonly secrets: Pick<SecretStore, 'list'> },
  org: OrganizationId,
  place: Place,
  missing: readonly Reference[],
): Promise<ReadonlyMap<SecretName, SecretName>> {
  const { items } = await needs.secrets.list(org, { prefix: '', after: undefined, limit: NAMES_CONSIDERED });
  const usable = new Set(items.filter((stored) => serves(stored, place)).map(({ at }) => at.name));
  const nearest = new Map<SecretName, SecretName>();
  for (const { name } of missing.slice(0, HINTS)) {
    if (usable.has(name)) continue;
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
