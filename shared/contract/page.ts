import * as z from 'zod';
import { invalid } from './errors.ts';

/** The query of every collection: how many, and where the last page ended. */
export const page = {
  limit: z.coerce.number().int().min(1, 'must be at least 1').max(1000, 'must be at most 1000').default(100),
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
