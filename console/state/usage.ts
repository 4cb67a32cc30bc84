import type { AuditEntry } from '../../shared/contract/audit.ts';
import { DAY } from './words.ts';

/** The resolves of one pipeline in one environment. */
export interface PlaceUsage {
  readonly pipeline: string;
  readonly environment: string;
  /** Requests: one resolve fills any number of references. */
  readonly resolves: number;
  /** Values that were given out. */
  readonly values: number;
  readonly secrets: number;
  readonly runs: number;
  readonly last: string;
  /** Resolves by day, oldest first. */
  readonly days: readonly number[];
}

interface Counting {
  readonly records: Set<number>;
  readonly names: Set<string>;
  readonly runs: Set<string>;
  readonly days: number[];
  values: number;
  last: string;
}

/**
 * @param entries of action `access`: one for each secret that a resolve gave out
 * @param days how many there are, the last of them ending at `now`
 */
export function usageOf(entries: readonly AuditEntry[], days: number, now: number): readonly PlaceUsage[] {
  const places = new Map<string, Counting>();
  for (const entry of entries) {
    const key = `${entry.pipeline_id ?? 'no pipeline'}\n${entry.run_environment ?? ''}`;
    let place = places.get(key);
    if (place === undefined) {
      place = {
        records: new Set(),
        names: new Set(),
        runs: new Set(),
        days: Array.from({ length: days }, () => 0),
        values: 0,
        last: entry.timestamp,
      };
      places.set(key, place);
    }
    place.values += 1;
    if (entry.secret_name !== undefined) place.names.add(entry.secret_name);
    if (entry.run_id !== undefined) place.runs.add(entry.run_id);
    if (place.records.has(entry.sequence)) continue;
    place.records.add(entry.sequence);
    const index = days - 1 - Math.floor((now - Date.parse(entry.timestamp)) / DAY);
    if (place.days[index] !== undefined) place.days[index] += 1;
  }
  return [...places].map(([key, place]) => {
    const [pipeline = '', environment = ''] = key.split('\n');
    const { records, names, runs, values, last } = place;
    const counted = { resolves: records.size, secrets: names.size, runs: runs.size };
    return { pipeline, environment, ...counted, values, last, days: place.days };
  });
}
