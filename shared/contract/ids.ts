import * as z from 'zod';

// Identifiers travel in headers, logs, file names and store keys: plain visible ASCII, no separator of ours
// (`#`), no whitespace, no control character, so that none of those places ever needs escaping.
const identifier = /^[A-Za-z0-9][A-Za-z0-9._:@+|/=-]{0,127}$/;
const identifierRule =
  'must be 1 to 128 characters: a letter or digit, then letters, digits and . _ : @ + | / = -';

/** A secret's name. `audit` is reserved: `/secrets/audit` is a route. */
export const secretName = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9_-]{0,127}$/, 'must be a letter, then at most 127 letters, digits, _ or -')
  .refine((name) => name !== 'audit', 'is reserved, choose another name')
  .brand<'SecretName'>();
export type SecretName = z.infer<typeof secretName>;

/** Where a pipeline runs. Which names a deployment knows is its own setting, checked by the use-cases. */
export const environmentName = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,31}$/, 'must be a lower-case letter, then at most 31 of a-z, 0-9 and -')
  .refine((name) => name !== 'none', 'is reserved: leave the environment out instead')
  .brand<'EnvironmentName'>();
export type EnvironmentName = z.infer<typeof environmentName>;

export const pipelineId = z.string().regex(identifier, identifierRule).brand<'PipelineId'>();
export type PipelineId = z.infer<typeof pipelineId>;

export const userId = z.string().regex(identifier, identifierRule).brand<'UserId'>();
export type UserId = z.infer<typeof userId>;

export const runId = z.string().regex(identifier, identifierRule).brand<'RunId'>();
export type RunId = z.infer<typeof runId>;

export const organizationId = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'must be 1 to 63 of a-z, 0-9 and -, beginning with a letter or digit')
  .brand<'OrganizationId'>();
export type OrganizationId = z.infer<typeof organizationId>;

export const apiKeyId = z
  .string()
  .regex(/^[0-9A-Za-z]{16}$/, 'must be the 16 characters that follow fmk_')
  .brand<'ApiKeyId'>();
export type ApiKeyId = z.infer<typeof apiKeyId>;

/** A moment, RFC 3339 in UTC with a `Z`. */
export const timestamp = z.iso.datetime({
  offset: false,
  message: 'must be a time like 2026-01-31T12:00:00Z',
});
