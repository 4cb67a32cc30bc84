import type * as z from 'zod';
import { type InputError, SecretsError } from '../contract/errors.ts';
import { limits } from '../contract/resolve.ts';

/**
 * Parses input by a schema.
 * @throws SecretsError `validation` naming each field and rule, and never anything that was sent
 */
export function parseInput<Schema extends z.ZodType>(schema: Schema, input: unknown): z.infer<Schema> {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  const errors = parsed.error.issues.map(toInputError);
  throw new SecretsError(
    'validation',
    errors.map(({ path, message }) => `${path || 'body'}: ${message}`).join('; '),
    {
      errors,
    },
  );
}

function toInputError(issue: z.core.$ZodIssue): InputError {
  return { path: pathOf(issue), message: messageOf(issue) };
}

/** Our own field names and positions; below `metadata` the keys are the user's, so they stay out. */
function pathOf({ path }: z.core.$ZodIssue): string {
  const labels = path.indexOf('metadata');
  const own = labels < 0 ? path : path.slice(0, labels + 1);
  return own.map(String).join('.');
}

/**
 * The rule in our words. Zod's own text would quote an unknown key, which may be a value put in the wrong
 * place.
 */
function messageOf(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'unrecognized_keys':
      return 'has a field that this route does not take';
    case 'invalid_type':
      return issue.message.endsWith('received undefined') ? 'is required' : `must be ${issue.expected}`;
    case 'invalid_value':
      return `must be one of ${issue.values.map(String).join(', ')}`;
    case 'invalid_union':
    case 'invalid_key':
    case 'invalid_element':
      return 'has the wrong form';
    default:
      return issue.message;
  }
}

/**
 * Parses a JSON body. Not by a stock parser: those put the body, or a piece of it, into the error.
 * @throws SecretsError `unsupported_media_type`, `malformed_request`, `config_too_deep`
 */
export function parseJsonBody(
  contentType: string | undefined,
  body: string | undefined,
  isBase64: boolean,
): unknown {
  if (contentType !== undefined && !/^application\/(?:[a-z0-9.+-]+\+)?json\s*(?:;|$)/i.test(contentType)) {
    throw new SecretsError('unsupported_media_type', 'Send the body as application/json.');
  }
  if (body === undefined || body === '') return undefined;
  const text = isBase64 ? decodeUtf8(Buffer.from(body, 'base64')) : body;
  if (isNestedDeeper(text, MAX_DEPTH)) {
    throw new SecretsError('config_too_deep', `A config may be nested ${limits.depth} levels deep.`);
  }
  try {
    return JSON.parse(text);
  } catch {
    throw new SecretsError('malformed_request', 'The body is not valid JSON.');
  }
}

/** Not leniently: bytes that are no text would be stored as other ones. @throws SecretsError `malformed_request` */
function decodeUtf8(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new SecretsError('malformed_request', 'The body is not valid UTF-8.');
  }
}

/** The config's own levels, and the object around it. */
const MAX_DEPTH = limits.depth + 1;
const [QUOTE, BACKSLASH] = [0x22, 0x5c];

/**
 * Whether JSON text nests more levels than allowed, told before it is parsed: the parser would build three
 * million levels, in a second in which nobody else is answered.
 */
function isNestedDeeper(text: string, levels: number): boolean {
  let depth = 0;
  let inString = false;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (inString) {
      if (code === BACKSLASH) at += 1;
      else if (code === QUOTE) inString = false;
    } else if (code === QUOTE) inString = true;
    // [ and { differ in one bit, and so do ] and }.
    else if ((code | 0x20) === 0x7b) {
      depth += 1;
      if (depth > levels) return true;
    } else if ((code | 0x20) === 0x7d) depth -= 1;
  }
  return false;
}
