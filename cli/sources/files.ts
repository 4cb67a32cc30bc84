import { isUtf8 } from 'node:buffer';
import { parseEnv } from 'node:util';
import * as z from 'zod';
import { usageFailure } from '../failure.ts';
import { parseJson, readGivenFile, readJsonFile } from '../files.ts';
import { type Entry, entryOf, type Source } from './source.ts';

function given(from: string | undefined): string {
  if (from === undefined) throw usageFailure('Say which file, or - for standard input.');
  return from;
}

/** `.env` files, as Node itself reads them. */
export const dotenv: Source = async (host, from) => {
  const bytes = await readGivenFile(host, given(from));
  if (!isUtf8(bytes)) throw usageFailure(`${from} is not UTF-8.`);
  return Object.entries(parseEnv(bytes.toString('utf8'))).map(([name, value]) => entryOf(name, value));
};

const label = z.union([z.string(), z.number(), z.boolean(), z.null()]);
const ownRecord = z.object({
  name: z.string(),
  value: z.string(),
  encoding: z.enum(['utf8', 'base64']).default('utf8'),
  scope: z.enum(['org', 'pipeline', 'user']).default('org'),
  pipeline_id: z.string().nullish(),
  user: z.string().nullish(),
  environment: z.string().nullish(),
  description: z.string().nullish(),
  metadata: z.record(z.string(), label).nullish(),
  rotation_days: z.int().nullish(),
});
const named = z.record(z.string(), z.unknown());

/** `{"NAME": "value"}`, or what `fm secrets export --format json` wrote. */
export const json: Source = async (host, from) =>
  entriesOf(await readJsonFile(host, given(from)), given(from));

/** The same in YAML. */
export const yaml: Source = async (host, from) => {
  const { parseDocument } = await import('yaml');
  const bytes = await readGivenFile(host, given(from));
  // By any other schema a value that looks like another type (`on`, `0123`) would not come as it was written.
  const document = parseDocument(bytes.toString('utf8'), { schema: 'failsafe', logLevel: 'silent' });
  // Its errors quote the text.
  if (document.errors.length > 0)
    throw usageFailure(`${from === '-' ? 'Standard input' : from} is not YAML.`);
  return entriesOf(document.toJS({ maxAliasCount: 100 }), given(from));
};

function entriesOf(parsed: unknown, file: string): readonly Entry[] {
  const records = z.array(ownRecord).safeParse(parsed);
  if (records.success) return records.data.map(entryOfRecord);
  const map = named.safeParse(parsed);
  if (!map.success)
    throw usageFailure(
      `${file === '-' ? 'Standard input' : file} must hold names with their values, or an export of fm.`,
    );
  return Object.entries(map.data).map(([name, value]) => entryOf(name, value));
}

function entryOfRecord(record: z.infer<typeof ownRecord>): Entry {
  const { name, value, encoding, scope, pipeline_id, user, environment } = record;
  return {
    origin: name,
    name,
    value: { value, encoding },
    description: record.description ?? undefined,
    metadata: record.metadata ?? undefined,
    rotation_days: record.rotation_days ?? undefined,
    at: { scope, pipeline_id: pipeline_id ?? null, user: user ?? null, environment: environment ?? null },
  };
}

const dopplerValue = z.union([
  z.string(),
  z.object({ computed: z.string().nullable() }).transform((each) => each.computed ?? ''),
]);

/** `doppler secrets download --format json --no-file`, and `doppler secrets --json`. */
export const doppler: Source = async (host, from) => {
  const parsed = z.record(z.string(), dopplerValue).safeParse(await readJsonFile(host, given(from)));
  if (!parsed.success) throw usageFailure(`${from} is no JSON of Doppler's: {"NAME": "value"}.`);
  // Doppler puts these three beside the secrets; they say where the secrets come from.
  const own = /^DOPPLER_(PROJECT|CONFIG|ENVIRONMENT)$/;
  return Object.entries(parsed.data)
    .filter(([name]) => !own.test(name))
    .map(([name, value]) => entryOf(name, value));
};

const infisicalSecret = z.union([
  z.object({ key: z.string(), value: z.string(), comment: z.string().nullish() }),
  z
    .object({ secretKey: z.string(), secretValue: z.string(), secretComment: z.string().nullish() })
    .transform((each) => ({ key: each.secretKey, value: each.secretValue, comment: each.secretComment })),
]);
const infisicalExport = z.union([
  z.array(infisicalSecret),
  z.object({ secrets: z.array(infisicalSecret) }).transform((each) => each.secrets),
]);

/** `infisical export --format=json`, and the answer of its API. */
export const infisical: Source = async (host, from) => {
  const bytes = await readGivenFile(host, given(from));
  const parsed = infisicalExport.safeParse(parseJson(bytes, given(from)));
  if (!parsed.success) throw usageFailure(`${from} is no JSON of Infisical's: [{"key", "value"}].`);
  return parsed.data.map(({ key, value, comment }) =>
    entryOf(key, value, { description: comment || undefined }),
  );
};
