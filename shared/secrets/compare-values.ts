import type * as z from 'zod';
import type { Caller } from '../access/caller.ts';
import { demand } from '../audit/demand.ts';
import { auditedSecret, eventOf } from '../audit/event.ts';
import type { Comparison, compareRequest, compareResponse } from '../contract/compare.ts';
import { coordinatesKey, describeCoordinates } from '../contract/coordinates.ts';
import { SecretsError } from '../contract/errors.ts';
import { valueBytes } from '../contract/value.ts';
import { fingerprint } from '../envelope/fingerprint.ts';
import type { WriteNeeds } from './change-secret.ts';
import { placeOf } from './put-secret.ts';
import { readRecord } from './secret-record.ts';
import type { StoredSecret } from './secret-store.ts';

type Entry = z.infer<typeof compareRequest>['entries'][number];

/**
 * Says what putting each of these values would meet. Stores nothing and opens nothing, and is for those who may
 * write there: an answer tells whether a guess is right. Each one is recorded.
 * @throws SecretsError `validation`, `forbidden`, `unavailable`
 */
export async function compareValues(
  needs: WriteNeeds,
  caller: Caller,
  { entries }: z.infer<typeof compareRequest>,
): Promise<z.infer<typeof compareResponse>> {
  await demand(needs, caller, 'compare');
  const wanted = await Promise.all(
    entries.map(async (entry, index) => {
      const at = await within(index, () => placeOf(needs, caller, entry));
      return {
        at,
        compareTo: (stored?: StoredSecret) => within(index, () => compare(needs, caller, entry, stored)),
      };
    }),
  );
  for (const { at } of wanted) await demand(needs, caller, 'compare', at);
  const places = new Map(wanted.map(({ at }) => [coordinatesKey(at), at]));
  const stored = await needs.secrets.findMany(caller.org, [...places.values()]);
  const byKey = new Map(stored.map((row) => [coordinatesKey(row.at), row]));
  const compared = await Promise.all(
    wanted.map(async ({ at, compareTo }) => ({ at, ...(await compareTo(byKey.get(coordinatesKey(at)))) })),
  );
  const secrets = compared.map(({ at, version }) => auditedSecret(at, version ?? undefined));
  await needs.outbox.append(eventOf(needs, caller, { action: 'compare', secrets }));
  return {
    entries: compared.map(({ at, ...found }) => ({ name: at.name, ...describeCoordinates(at), ...found })),
  };
}

/** What is refused of an entry is named with its position. */
async function within<T>(index: number, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof SecretsError) || error.errors === undefined) throw error;
    const errors = error.errors.map(({ path, message }) => ({ path: `entries.${index}.${path}`, message }));
    throw new SecretsError(error.code, errors.map(({ path, message }) => `${path}: ${message}`).join('; '), {
      errors,
    });
  }
}

async function compare(
  needs: WriteNeeds,
  { org }: Caller,
  { value: text, encoding }: Entry,
  stored: StoredSecret | undefined,
): Promise<Pick<Comparison, 'result' | 'version'>> {
  const value = valueBytes('value', text, encoding);
  try {
    if (stored === undefined) return { result: 'absent', version: null };
    const { current, deleted_at } = readRecord(stored);
    if (deleted_at !== null) return { result: 'deleted', version: null };
    const same = current.fingerprint === (await fingerprint(needs.keyService, org, value, encoding));
    return { result: same ? 'same' : 'different', version: current.version };
  } finally {
    value.fill(0);
  }
}
