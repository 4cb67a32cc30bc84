import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parseJsonSecret, takeField } from '../../../shared/contract/json-field.ts';
import {
  fillConfig,
  pathsOf,
  pathText,
  type Reference,
  scanConfig,
} from '../../../shared/contract/references.ts';
import { limits } from '../../../shared/contract/resolve.ts';

// Every language that reads references runs these. Read as text: an import would lose a key named `__proto__`.
const file = new URL('../../vectors/references.json', import.meta.url);
const { vectors } = JSON.parse(readFileSync(file, 'utf8')) as { readonly vectors: readonly Row[] };
const outcomes = ['expected', 'malformed', 'unresolved', 'too_deep'];

interface Row {
  readonly name: string;
  readonly config: unknown;
  readonly values?: Readonly<Record<string, string>>;
  readonly [outcome: string]: unknown;
}

test('there are rows of every outcome, each with one', () => {
  expect(vectors.length).toBeGreaterThanOrEqual(110);
  const found = vectors.map((vector) => outcomes.filter((outcome) => Object.hasOwn(vector, outcome)));
  expect(found.every(({ length }) => length === 1)).toBe(true);
  expect(new Set(found.flat())).toEqual(new Set(outcomes));
});

test.each(vectors)('$name', ({ name: _name, config, values, ...expected }) => {
  // As text, in which `__proto__` is a key like any other.
  expect(JSON.stringify(outcomeOf(config, values ?? {}))).toBe(JSON.stringify(expected));
});

function outcomeOf(config: unknown, values: Readonly<Record<string, string>>): Record<string, unknown> {
  const scanned = scanConfig(config, limits.depth);
  if (scanned === null) return { too_deep: true };
  if (scanned.malformed.length > 0) return { malformed: scanned.malformed.map(pathText) };
  const taken = new Map([...scanned.references.values()].map((one) => [one, take(one, values)]));
  const unresolved = [...taken].flatMap(([one, value]) => (value === undefined ? pathsOf(one) : []));
  if (unresolved.length > 0) return { unresolved };
  expect(fillConfig(scanned, (one) => taken.get(one), limits.answerBytes)).toBe(true);
  return { expected: scanned.root.config };
}

/** What a reference takes of the values; undefined when nothing serves it. */
function take({ name, pin, fields }: Reference, values: Readonly<Record<string, string>>): unknown {
  const key = pin === null ? name : `${name}@${pin}`;
  const text = Object.hasOwn(values, key) ? values[key] : undefined;
  if (text === undefined || fields.length === 0) return text;
  const json = parseJsonSecret(text, 'utf8');
  const taken = 'problem' in json ? json : takeField(json.value, fields);
  return 'problem' in taken ? undefined : taken.value;
}
