import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { SecretMetadata as OfTheClient } from '../../../client/metadata.ts';
import { routes } from '../../../functions/routes.ts';
import { openapiDocument } from '../../../shared/contract/openapi.ts';
import type { SecretMetadata } from '../../../shared/contract/secrets.ts';

/** The clients' own types of metadata, beside the document that the server gives out. */

const root = join(import.meta.dirname, '../../..');
const { components } = openapiDocument(routes, '0') as unknown as {
  components: { schemas: Record<string, { properties: object }> };
};
// Only in the answers to writes, and the clients do not write.
const OF_WRITES = ['unchanged', 'warnings'];
const documented = Object.keys(components.schemas['SecretMetadata']?.properties ?? {}).filter(
  (field) => !OF_WRITES.includes(field),
);

const fieldsIn = (file: string, pattern: RegExp) =>
  [...readFileSync(join(root, file), 'utf8').matchAll(pattern)].map(([, field]) => field);

test.each([
  ['client/metadata.ts', /^ {2}readonly (\w+)\??:/gm],
  ['python/src/flowmason_core/secrets/metadata.py', /^ {4}(\w+): /gm],
])('%s names the fields of the document, and no others', (file, pattern) => {
  expect(documented.length).toBeGreaterThan(20);
  expect(fieldsIn(file, pattern).sort()).toEqual(documented.toSorted());
});

test('what the server answers is of the type that the client says', () => {
  const answered = (secret: SecretMetadata): OfTheClient => secret;
  expect(answered({ name: 'db' } as SecretMetadata).name).toBe('db');
});
