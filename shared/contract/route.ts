import type * as z from 'zod';

/** What a route's function may touch on AWS. `infra` turns each into the narrowest statement. */
export type Grant = 'read' | 'write' | 'generate-data-key' | 'fingerprint' | 'decrypt' | 'sign';

/** One row of the routes table: what CDK, the local server, the handlers, OpenAPI and the tests all read. */
export interface Route<
  Params extends z.ZodType | null = z.ZodType | null,
  Query extends z.ZodType | null = z.ZodType | null,
  Body extends z.ZodType | null = z.ZodType | null,
  Output extends z.ZodType | null = z.ZodType | null,
> {
  /** The function's name and its file in `functions/api`. */
  readonly name: string;
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly summary: string;
  /** What the caller must be allowed; `public` needs no credential. */
  readonly action: string;
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  /** The item's schema when `paged`, the whole answer's otherwise; null for an empty answer. */
  readonly output: Output;
  readonly status: 200 | 201 | 204;
  readonly paged: boolean;
  /** What its answers are when they are no JSON: lines of text, in pages. */
  readonly media?: readonly string[];
  readonly grants: readonly Grant[];
}

type Parsed<Schema> = Schema extends z.ZodType ? z.infer<Schema> : unknown;

/** What a handler gets: path, query and body in one object. No name occurs in two of them. */
export type RequestOf<R extends Route> = Parsed<R['params']> & Parsed<R['query']> & Parsed<R['body']>;

/** What a handler answers, before it is parsed through the route's output. */
export type ItemOf<R extends Route> = R['output'] extends z.ZodType ? z.input<R['output']> : null;
