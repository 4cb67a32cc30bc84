import * as z from 'zod';
import { scopeName } from './coordinates.ts';
import { referenceCodes } from './errors.ts';
import { environmentName, organizationId, pipelineId, runId, userId } from './ids.ts';

/** What a resolve takes at most; each is refused by the problem of its name. */
export const limits = {
  /** Levels of nesting of the config: `config_too_deep`. */
  depth: 64,
  /** Distinct references: `too_many_references`. */
  references: 200,
  /** Bytes of the config as JSON: `config_too_large`. */
  configBytes: 1024 * 1024,
  /** Bytes of the resolved config as JSON: `answer_too_large`. */
  answerBytes: 5 * 1024 * 1024,
} as const;

export const resolveRequest = z
  .strictObject({
    // Not z.json(): that would walk the config before its depth was checked.
    config: z
      .unknown()
      .refine((config) => config !== undefined, 'is required')
      .meta({ description: 'Any JSON with references in its strings.' }),
    environment: environmentName
      .optional()
      .meta({ description: 'Required with an API key; with a run token it is the run’s.' }),
    pipeline_id: pipelineId.optional(),
    user: userId.optional(),
    run_id: runId.optional(),
  })
  .meta({ id: 'ResolveRequest' });
export type ResolveRequest = z.infer<typeof resolveRequest>;

export const resolveResponse = z
  .object({
    config: z.unknown(),
    secrets: z.array(
      z.object({
        name: z.string(),
        version: z.int(),
        scope: scopeName,
        environment: environmentName.nullable(),
        encoding: z
          .literal('base64')
          .optional()
          .meta({ description: 'Of a secret of bytes, which stand in the config as base64.' }),
        references: z.array(z.string()).optional().meta({
          description: 'With `encoding`: those that took this version, as written after `secrets.`.',
        }),
      }),
    ),
  })
  .meta({ id: 'ResolveResponse' });
export type ResolveResponse = z.infer<typeof resolveResponse>;

export const checkResponse = z
  .object({
    references: z.array(
      z.object({
        name: z.string(),
        reference: z
          .string()
          .optional()
          .meta({ description: 'As written, when it asks for a version or a field.' }),
        paths: z.array(z.string()),
        found: z.boolean(),
        scope: scopeName.optional(),
        environment: environmentName.nullable().optional(),
        version: z.int().optional(),
        due: z.boolean().optional(),
        code: z.enum(referenceCodes).optional(),
        problem: z.string().optional(),
        nearest: z.string().optional(),
      }),
    ),
  })
  .meta({ id: 'CheckResponse' });
export type CheckResponse = z.infer<typeof checkResponse>;

/** What a direct invoke of the resolve function sends: a run's token, or, from the orchestrator, the run itself. */
export const resolveInvocation = z.union([
  z.strictObject({ run_token: z.string().max(4096), config: resolveRequest.shape.config }),
  z.strictObject({
    ...resolveRequest.shape,
    org: organizationId,
    environment: environmentName,
    pipeline_id: pipelineId.nullish().transform((id) => id ?? undefined),
    user: userId.nullish().transform((id) => id ?? undefined),
    run_id: runId.nullish().transform((id) => id ?? undefined),
  }),
]);
