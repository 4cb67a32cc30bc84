import { expect, test } from 'vitest';
import { routes } from '../../../functions/routes.ts';
import { problems } from '../../../shared/contract/errors.ts';
import { openapiDocument } from '../../../shared/contract/openapi.ts';

interface Operation {
  readonly operationId: string;
  readonly parameters: readonly {
    readonly name: string;
    readonly in: string;
    readonly required: boolean;
    readonly schema: object;
  }[];
  readonly requestBody?: { readonly required: boolean };
  readonly responses: Readonly<Record<string, object>>;
  readonly security?: readonly unknown[];
}

const document = openapiDocument(routes, '1.2.3');
const paths = document['paths'] as Readonly<Record<string, Readonly<Record<string, Operation>>>>;

function operationOf(method: string, path: string): Operation {
  return paths[path]?.[method.toLowerCase()] ?? expect.fail(`${method} ${path} is missing`);
}

test('is plain JSON of this version, and every reference in it leads somewhere', () => {
  expect(JSON.parse(JSON.stringify(document))).toEqual(document);
  expect(document).toMatchObject({ openapi: '3.1.0', info: { version: '1.2.3' } });
  const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]*)"/g)].map(([, to = '']) => to);
  expect(references.length).toBeGreaterThan(50);
  for (const to of references) {
    const found = to
      .split('/')
      .reduce<unknown>((at, key) => (at as Record<string, unknown>)?.[key], document);
    expect(found, to).toBeTypeOf('object');
  }
});

test.each(routes.map((route) => [`${route.method} ${route.path}`, route] as const))('%s', (_what, route) => {
  const operation = operationOf(route.method, route.path);
  const inPath = operation.parameters.filter((one) => one.in === 'path');
  expect(inPath.map(({ name }) => `{${name}}`)).toEqual(route.path.match(/\{\w+\}/g) ?? []);
  expect(inPath.every(({ required }) => required)).toBe(true);
  expect(operation.requestBody !== undefined).toBe(route.body !== null);
  // It may be left out where its members all may.
  if (route.body !== null) expect(operation.requestBody?.required).toBe(!route.body.safeParse({}).success);
  expect(operation.responses[route.status]).toBeDefined();
  for (const { status } of Object.values(problems)) expect(operation.responses[status]).toBeDefined();
  expect(operation.security).toEqual(route.action === 'public' ? [] : undefined);
});

test('operations have names of their own', () => {
  const names = routes.map(({ method, path }) => operationOf(method, path).operationId);
  expect(new Set(names).size).toBe(names.length);
  for (const name of names) expect(name).toMatch(/^[a-z]+(?:[A-Z][a-z]*)*$/);
});

test('a number of a query is a number with its bounds and its default', () => {
  const { parameters } = operationOf('DELETE', '/api/v1/secrets/{name}');
  expect(parameters.find(({ name }) => name === 'recovery_days')).toMatchObject({
    required: false,
    schema: { type: 'integer', minimum: 0, maximum: 30, default: 7 },
  });
});

test('a value is written only', () => {
  const { schemas } = document['components'] as {
    schemas: Record<string, { properties: Record<string, object> }>;
  };
  expect(schemas['CreateSecretRequest']?.properties['value']).toMatchObject({ writeOnly: true });
  expect(Object.keys(schemas['SecretMetadata']?.properties ?? {})).not.toContain('value');
});
