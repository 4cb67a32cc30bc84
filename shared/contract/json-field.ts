import type { ReferenceProblem } from './errors.ts';
import type { Encoding } from './value.ts';

export type FieldResult = { readonly value: unknown } | ReferenceProblem;

const MAX_DEPTH = 64;

/**
 * Reads a secret whose value is JSON; numbers keep every digit that was written.
 * @returns what it holds, or what is wrong, never quoting the value
 */
export function parseJsonSecret(text: string, encoding: Encoding): FieldResult {
  if (encoding === 'base64')
    return { code: 'not_json', problem: 'the secret holds bytes, so it has no fields' };
  try {
    return { value: JSON.parse(text, keepNumber) };
  } catch {
    return { code: 'not_json', problem: 'the secret is not JSON, so it has no fields' };
  }
}

/** Takes a field of an object or an array, and nothing else that JavaScript has there: `['users', '0', 'name']`. */
export function takeField(json: unknown, fields: readonly string[]): FieldResult {
  let at = json;
  for (const field of fields) {
    if (!isNested(at) || !Object.hasOwn(at, field) || (Array.isArray(at) && field === 'length')) {
      return { code: 'no_such_field', problem: 'the secret has no such field' };
    }
    at = at[field];
  }
  if (!fitsDepth(at, MAX_DEPTH))
    return { code: 'field_too_deep', problem: `the field is nested more than ${MAX_DEPTH} levels deep` };
  return { value: at };
}

// JSON.rawJSON and the reviver's context are in Node 24, not yet in TypeScript's library.
const raw = JSON as unknown as { rawJSON(text: string): unknown; isRawJSON(value: unknown): boolean };

/** A number that JavaScript would round, for example a 20-digit account id, stays as it was written. */
function keepNumber(_key: string, value: unknown, context?: { source?: string }): unknown {
  if (typeof value !== 'number' || context?.source === undefined) return value;
  return String(value) === context.source ? value : raw.rawJSON(context.source);
}

/** Whether it is an object or array of the secret's; a kept number is an object too, of JavaScript's own. */
function isNested(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !raw.isRawJSON(value);
}

function fitsDepth(value: unknown, depth: number): boolean {
  if (!isNested(value)) return true;
  return depth > 0 && Object.values(value).every((child) => fitsDepth(child, depth - 1));
}
