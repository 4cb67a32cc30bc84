import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { Cache } from '../../../client/cache.ts';
import { SecretsClient } from '../../../client/client.ts';
import { LimitExceededError, UnresolvedReferencesError } from '../../../client/errors.ts';
import { InvalidReferenceError } from '../../../client/main.ts';
import type { Reply } from '../../../client/problems.ts';
import { Redactor } from '../../../client/redaction.ts';
import type { Transport } from '../../../client/transport.ts';
import { parseJsonSecret, takeField } from '../../../shared/contract/json-field.ts';
import {
  fillConfig,
  pathsOf,
  pathText,
  type Reference,
  scanConfig,
} from '../../../shared/contract/references.ts';
import { limits } from '../../../shared/contract/resolve.ts';

/** The vectors of references through the client: what it sends is read and filled by the server's own code. */

interface Row {
  readonly name: string;
  readonly config: unknown;
  readonly values?: Readonly<Record<string, string>>;
  readonly expected?: unknown;
  readonly malformed?: readonly string[];
  readonly unresolved?: readonly string[];
}

// Read as text: an import would lose a key named `__proto__`.
const file = new URL('../../vectors/references.json', import.meta.url);
const { vectors } = JSON.parse(readFileSync(file, 'utf8')) as { readonly vectors: readonly Row[] };

test.each(vectors)('$name', async (row) => {
  const before = JSON.stringify(row.config);
  const client = new SecretsClient(storeOf(row.values ?? {}), new Cache(60, 1000), new Redactor(), undefined);
  const outcome: unknown = await client.resolve(row.config).catch((error: unknown) => error);
  expect(JSON.stringify(row.config)).toBe(before);
  if (row.malformed !== undefined) {
    expect(outcome).toBeInstanceOf(InvalidReferenceError);
    expect(outcome).toMatchObject({ paths: row.malformed });
  } else if (row.unresolved !== undefined) {
    expect(outcome).toBeInstanceOf(UnresolvedReferencesError);
    const paths = outcome instanceof UnresolvedReferencesError ? outcome.paths : [];
    expect([...new Set(paths)]).toEqual([...new Set(row.unresolved)]);
  } else if ('expected' in row) expect(JSON.stringify(outcome)).toBe(JSON.stringify(row.expected));
  else expect(outcome).toBeInstanceOf(LimitExceededError);
});

function storeOf(values: Readonly<Record<string, string>>): Transport {
  const resolve = async (config: unknown) => JSON.parse(JSON.stringify(answerTo(config, values)));
  return { resolve, check: resolve, list: async () => [] };
}

function answerTo(sent: unknown, values: Readonly<Record<string, string>>): Reply {
  const scanned = scanConfig(JSON.parse(JSON.stringify(sent)), limits.depth);
  if (scanned === null) return { status: 422, body: { code: 'config_too_deep' } };
  if (scanned.malformed.length > 0) {
    const errors = scanned.malformed.map((at) => ({ path: pathText(at), message: 'is not one' }));
    return { status: 422, body: { code: 'validation', errors } };
  }
  const taken = new Map([...scanned.references.values()].map((one) => [one, take(one, values)]));
  const failed = [...taken].filter(([, value]) => value === undefined).map(([one]) => one);
  const references = failed.map((one) => ({ name: one.name, reference: one.key, paths: pathsOf(one) }));
  if (references.length > 0) return { status: 422, body: { code: 'unresolved_references', references } };
  fillConfig(scanned, (one) => taken.get(one), limits.answerBytes);
  return { status: 200, body: { config: scanned.root.config, secrets: [] } };
}

/** What a reference takes of the values; undefined when nothing serves it. */
function take({ name, pin, fields }: Reference, values: Readonly<Record<string, string>>): unknown {
  const key = pin === null ? name : `${name}@${pin}`;
  const text = Object.hasOwn(values, key) ? values[key] : undefined;
  if (text === undefined || fields.length === 0) return text;
  const json = parseJsonSecret(text, 'utf8');
  const field = 'problem' in json ? json : takeField(json.value, fields);
  return 'problem' in field ? undefined : field.value;
}
