import * as routes from '../functions/routes.ts';
import type { Comparison } from '../shared/contract/compare.ts';
import { MAX_VALUE_BYTES } from '../shared/contract/value.ts';
import { type Failure, usageFailure } from './failure.ts';
import type { Entry } from './sources/source.ts';
import { type Selecting, selectorOf, type Tools } from './tools.ts';

/** An entry with what putting it would do. */
export interface Planned {
  readonly entry: Entry;
  readonly place: Place;
  readonly result: Comparison['result'];
  /** The version that it would replace. */
  readonly version: number | null;
}

/** Where an entry goes. The environment is always said: without it the server would choose. */
export interface Place {
  readonly scope?: 'org' | 'pipeline' | 'user' | undefined;
  readonly pipeline_id?: string | undefined;
  readonly user?: string | undefined;
  readonly environment: string;
}

// What one comparison takes, and well within what one request may hold.
const BATCH_ENTRIES = 100;
const BATCH_BYTES = 1024 * 1024;

/** Where an entry goes: where the options say, else where the export had it, else to every environment. */
function placeFor({ at }: Entry, options: Selecting): Place {
  const isSaid = options.scope !== undefined || options.pipeline !== undefined || options.user !== undefined;
  const { scope, pipeline_id, user, environment } = selectorOf(options);
  const owner =
    isSaid || at === undefined
      ? { scope, pipeline_id, user }
      : { scope: at.scope, pipeline_id: at.pipeline_id ?? undefined, user: at.user ?? undefined };
  return { ...owner, environment: environment ?? at?.environment ?? 'none' };
}

/**
 * Asks by keyed fingerprint what each entry would meet. Nothing is stored.
 * @throws Failure when entries would take one place, or a value cannot be a secret's
 */
export async function planImport(
  { api, terminal }: Tools,
  entries: readonly Entry[],
  options: Selecting,
): Promise<readonly Planned[]> {
  const placed = entries.map((entry) => ({ entry, place: placeFor(entry, options) }));
  refuseUnusable(placed);
  const planned: Planned[] = [];
  for (const batch of batchesOf(placed)) {
    const compared = await api.call(routes.compareSecrets, {
      entries: batch.map(({ entry, place }) => ({
        name: entry.name,
        ...entry.value,
        ...defined(place),
      })),
    });
    for (const [index, { entry, place }] of batch.entries()) {
      const found = compared.entries[index];
      if (found !== undefined) planned.push({ entry, place, result: found.result, version: found.version });
    }
    terminal.progress(`${planned.length} of ${placed.length} compared`);
  }
  return planned;
}

/** Without what is undefined, which is not the same as absent to whoever checks it strictly. */
export function defined(place: Place): Place {
  return JSON.parse(JSON.stringify(place)) as Place;
}

type Placed = Pick<Planned, 'entry' | 'place'>;

function refuseUnusable(placed: readonly Placed[]): void {
  const wrong: string[] = [];
  const taken = new Map<string, string>();
  for (const { entry, place } of placed) {
    const { origin, name, value } = entry;
    const key = JSON.stringify([name, place]);
    const other = taken.get(key);
    if (name === '') wrong.push(`  ${origin}: no name can be made of it`);
    else if (Buffer.byteLength(value.value, value.encoding) > MAX_VALUE_BYTES)
      wrong.push(`  ${origin}: longer than a secret can be (64 KiB)`);
    else if (other !== undefined) wrong.push(`  ${origin}: would be called ${name}, like ${other}`);
    taken.set(key, origin);
  }
  if (wrong.length > 0) throw unusable(wrong);
}

function unusable(wrong: readonly string[]): Failure {
  return usageFailure('Some of what was read cannot be taken. Nothing was written.', wrong);
}

function batchesOf(placed: readonly Placed[]): readonly (readonly Placed[])[] {
  const batches: Placed[][] = [];
  let bytes = 0;
  for (const each of placed) {
    const size = each.entry.value.value.length;
    const last = batches.at(-1);
    if (last === undefined || last.length === BATCH_ENTRIES || bytes + size > BATCH_BYTES) {
      batches.push([each]);
      bytes = size;
    } else {
      last.push(each);
      bytes += size;
    }
  }
  return batches;
}
