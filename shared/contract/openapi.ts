import * as z from 'zod';
import { problems, problemType, referenceCodes } from './errors.ts';
import type { Route } from './route.ts';

type Json = Record<string, unknown>;

/** The refusals that any route may give. */
const statuses = [...new Set(Object.values(problems).map(({ status }) => status))].sort((a, b) => a - b);

/**
 * The OpenAPI 3.1 document of the routes table. Nothing in it is written by hand but this frame, so it cannot
 * say anything else than what the handlers check.
 */
export function openapiDocument(routes: readonly Route[], version: string): { openapi: string } & Json {
  const schemas: Json = { Problem: problemSchema() };
  const paths: Record<string, Json> = {};
  for (const route of routes)
    paths[route.path] = { ...paths[route.path], [route.method.toLowerCase()]: operation(route, schemas) };
  return {
    openapi: '3.1.0',
    info: {
      title: 'FlowMason Secrets',
      version,
      description:
        'Store, rotate and resolve the secrets that pipelines use. A value leaves only by /resolve.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/' }],
    security: [{ bearer: [] }],
    paths,
    components: {
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', description: 'An API key or a run token.' },
      },
      responses: Object.fromEntries(statuses.map((status) => [`Problem${status}`, problemResponse(status)])),
      schemas,
    },
  };
}

function operation(route: Route, schemas: Json): Json {
  const { name, summary, method, action, body, status } = route;
  const open = action === 'public';
  return {
    operationId: camelCase(name),
    summary,
    ...(open ? { security: [] } : {}),
    parameters: [
      ...parametersOf(route.params, 'path', schemas),
      ...parametersOf(route.query, 'query', schemas),
      ...(open || method === 'GET' ? [] : [idempotencyKey]),
    ],
    ...(body === null
      ? {}
      : {
          requestBody: {
            // Without one, the defaults of every member: where that is enough, it may be left out.
            required: !body.safeParse({}).success,
            content: { 'application/json': { schema: schemaOf(body, 'input', schemas) } },
          },
        }),
    responses: {
      [status]: success(route, schemas),
      ...(name === 'put-secret' ? { 201: { ...success(route, schemas), description: 'Created' } } : {}),
      ...Object.fromEntries(
        statuses.map((code) => [code, { $ref: `#/components/responses/Problem${code}` }]),
      ),
    },
  };
}

function success({ output, paged, status, media }: Route, schemas: Json): Json {
  if (output === null) return { description: 'Done' };
  const item = schemaOf(output, 'output', schemas);
  return {
    description: status === 201 ? 'Created' : 'Done',
    ...(paged
      ? { headers: { Link: { description: 'The next page: rel="next".', schema: { type: 'string' } } } }
      : {}),
    content:
      media === undefined
        ? { 'application/json': { schema: paged ? { type: 'array', items: item } : item } }
        : Object.fromEntries(media.map((type) => [type, { schema: item }])),
  };
}

function parametersOf(schema: z.ZodType | null, place: 'path' | 'query', schemas: Json): Json[] {
  if (schema === null) return [];
  const { properties = {}, required = [] } = schemaOf(schema, 'input', schemas) as {
    properties?: Record<string, Json>;
    required?: string[];
  };
  return Object.entries(properties).map(([name, { description, ...rest }]) => ({
    name,
    in: place,
    required: required.includes(name),
    ...(description === undefined ? {} : { description }),
    schema: rest,
  }));
}

const idempotencyKey: Json = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  description: 'The same key with the same request is carried out once; the answer is kept for a day.',
  schema: { type: 'string', pattern: '^[!-~]{1,255}$' },
};

/** A schema as JSON Schema; what has a name of its own goes to the components and is referred to. */
function schemaOf(schema: z.ZodType, io: 'input' | 'output', schemas: Json): Json {
  const json = z.toJSONSchema(schema, { target: 'draft-2020-12', io }) as Json;
  const { $schema: _dialect, id: _id, $defs = {}, ...own } = json;
  for (const [name, named] of Object.entries($defs as Record<string, Json>)) {
    const { id: _name, ...definition } = named;
    schemas[name] = definition;
  }
  return JSON.parse(JSON.stringify(own).replaceAll('#/$defs/', '#/components/schemas/')) as Json;
}

function problemResponse(status: number): Json {
  const codes = Object.entries(problems).filter(([, problem]) => problem.status === status);
  return {
    description: codes.map(([, { title }]) => title).join('; '),
    content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
  };
}

function problemSchema(): Json {
  const codes = Object.keys(problems) as (keyof typeof problems)[];
  return {
    type: 'object',
    required: ['type', 'title', 'status', 'detail', 'code', 'request_id'],
    properties: {
      type: { type: 'string', enum: codes.map(problemType) },
      title: { type: 'string' },
      status: { type: 'integer' },
      detail: { type: 'string' },
      code: { type: 'string', enum: codes },
      request_id: { type: 'string' },
      errors: {
        type: 'array',
        items: {
          type: 'object',
          required: ['path', 'message'],
          properties: { path: { type: 'string' }, message: { type: 'string' } },
        },
      },
      references: {
        description: 'With `unresolved_references`: every one that cannot be filled.',
        type: 'array',
        items: {
          type: 'object',
          required: ['name', 'reference', 'paths', 'code', 'problem', 'nearest'],
          properties: {
            name: { type: 'string' },
            reference: { type: 'string' },
            paths: { type: 'array', items: { type: 'string' } },
            code: { type: 'string', enum: referenceCodes },
            problem: { type: 'string' },
            nearest: { type: ['string', 'null'] },
          },
        },
      },
    },
  };
}

function camelCase(name: string): string {
  return name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
}
