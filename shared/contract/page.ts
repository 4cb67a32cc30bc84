import * as z from 'zod';
import { invalid } from './errors.ts';

/**
 * A whole number of a query, in digits only: JavaScript's own reading takes an empty `?recovery_days=` for 0,
 * which would delete for good.
 */
export function queryNumber(min: number, max = Number.MAX_SAFE_INTEGER) {
  const number = z
    .int('must be a whole number in digits')
    .min(min, `must be at least ${min}`)
    .max(max, `must be at most ${max}`);
  return z.preprocess(
    (sent) => (typeof sent === 'string' && /^[0-9]{1,16}$/.test(sent) ? Number(sent) : sent),
    number,
  );
}

/** The query of every collection: how many, and where the last page ended. */
export const page = {
  limit: queryNumber(1, 1000).prefault(100),
  cursor: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,600}$/, 'must be the cursor of a Link header, unchanged')
    .optional()
    .meta({ description: 'Opaque: from the `Link` header of the page before.' }),
};

/** A page of a collection; `next` is the position after its last item, absent at the end. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly next?: string;
}

/** A page of lines of text, for a route whose answers are no JSON. */
export interface TextPage extends Page<string> {
  /** Which of the route's media it is. */
  readonly media: string;
}

/** Makes a position opaque for a `Link` header. */
export function encodeCursor(position: string): string {
  return Buffer.from(position).toString('base64url');
}

/** The position within a cursor. @throws SecretsError `validation` when it is none of ours. */
export function decodeCursor(cursor: string, shape: RegExp): string {
  const position = Buffer.from(cursor, 'base64url').toString();
  if (!shape.test(position)) throw invalid('cursor', 'must be the cursor of a Link header, unchanged');
  return position;
}
