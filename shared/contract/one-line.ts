/**
 * Text that stays on its line. By ranges and not by `\p{Cc}`: tools in other languages read the pattern in the
 * OpenAPI document, and few know Unicode's properties.
 */
export const ONE_LINE = [
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it refuses
  /^[^\u0000-\u001f\u007f-\u009f\ud800-\udfff]*$/u,
  'must be one line of Unicode without control characters',
] as const;
