import type * as z from 'zod';

const MESSAGE = 'must be one line of Unicode without control characters';

/**
 * Text that stays on its line. By ranges and not by `\p{Cc}`: tools in other languages read the pattern in the
 * OpenAPI document, and few know Unicode's properties.
 */
export function oneLine(text: z.ZodString) {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it refuses
  const pattern = /^[^\u0000-\u001f\u007f-\u009f]*$/;
  return text.regex(pattern, MESSAGE).refine((line) => line.isWellFormed(), MESSAGE);
}
