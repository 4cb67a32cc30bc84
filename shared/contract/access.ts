import * as z from 'zod';
import { scopeName, selector } from './coordinates.ts';
import { apiKeyId, environmentName, pipelineId, runId, secretName, timestamp, userId } from './ids.ts';
import { oneLine } from './one-line.ts';
import { page, queryNumber } from './page.ts';
import { rotationPolicies } from './reminders.ts';

export const roleName = z.enum(['admin', 'editor', 'viewer', 'runtime']);
export type RoleName = z.infer<typeof roleName>;

const label = oneLine(z.string().min(1, 'must not be empty').max(128, 'must be at most 128 characters'));

export const createApiKeyRequest = z
  .strictObject({
    name: label,
    role: roleName,
    subject: userId
      .optional()
      .meta({ description: 'Who it stands for in records, for example a mail address.' }),
    pipelines: z
      .array(pipelineId)
      .min(1)
      .max(100)
      .optional()
      .meta({ description: 'Bound to these pipelines only.' }),
    environments: z
      .array(environmentName)
      .min(1)
      .max(20)
      .optional()
      .meta({ description: 'Bound to these environments only.' }),
    expires_at: timestamp.optional(),
  })
  .meta({ id: 'CreateApiKeyRequest' });

export const apiKeyPath = z.strictObject({ id: apiKeyId });
export const listApiKeysQuery = z.strictObject(page);

export const apiKeyDescription = z
  .object({
    id: apiKeyId,
    name: z.string(),
    role: roleName,
    subject: z.string().nullable(),
    pipelines: z.array(pipelineId).nullable(),
    environments: z.array(environmentName).nullable(),
    created_at: timestamp,
    created_by: z.string(),
    expires_at: timestamp.nullable(),
    last_used_at: timestamp.nullable(),
    revoked_at: timestamp.nullable(),
  })
  .meta({ id: 'ApiKey' });
export type ApiKeyDescription = z.infer<typeof apiKeyDescription>;

export const createdApiKey = apiKeyDescription
  .extend({ api_key: z.string().meta({ description: 'The key itself. Shown this once.' }) })
  .meta({ id: 'CreatedApiKey' });

export const startRunRequest = z
  .strictObject({
    pipeline_id: pipelineId,
    environment: environmentName,
    user: userId
      .optional()
      .meta({ description: 'Whose run it is; user-scoped secrets of this user resolve in it.' }),
    run_id: runId
      .optional()
      .meta({ description: 'The id that the orchestrator gave it; made here when absent.' }),
    ttl_seconds: z.int().min(1).max(86_400, 'must be at most a day').default(3600),
  })
  .meta({ id: 'StartRunRequest' });

export const callerDescription = z
  .object({
    org: z.string(),
    subject: z.string().meta({ description: 'The name in records.' }),
    role: roleName.nullable().meta({ description: 'Of the API key; null for a run token.' }),
    key_id: z.string().nullable(),
    pipelines: z.array(pipelineId).nullable().meta({ description: 'Bound to these; null for no bound.' }),
    environments: z.array(environmentName).nullable(),
    may: z.array(z.string()).meta({ description: 'What it may do, within its bounds.' }),
    known_environments: z.array(z.string()).meta({ description: 'Every environment of this deployment.' }),
  })
  .meta({ id: 'Caller', description: 'Who asks: what a credential is and may.' });
export type CallerDescription = z.infer<typeof callerDescription>;

export const runPath = z.strictObject({ run_id: runId });

export const startedRun = z
  .object({ run_id: runId, run_token: z.string(), expires_at: timestamp })
  .meta({ id: 'StartedRun' });

/** Which runs used a secret: what a leak of it may have touched. */
export const listRunsQuery = z.strictObject({
  secret_name: secretName,
  version: queryNumber(1).optional(),
  ...page,
});

export const runDescription = z
  .object({
    run_id: z.string(),
    pipeline_id: z.string().nullable(),
    environment: z.string().nullable(),
    user: z.string().nullable(),
    started_at: timestamp.nullable(),
    expires_at: timestamp.nullable(),
    ended_at: timestamp.nullable(),
    secrets: z.array(
      z.object({
        name: z.string(),
        version: z.int(),
        scope: scopeName,
        environment: environmentName.nullable(),
        first_used_at: timestamp,
        last_used_at: timestamp,
        resolves: z.int(),
      }),
    ),
  })
  .meta({ id: 'Run', description: 'A run and which version of which secret it used when.' });
export type RunDescription = z.infer<typeof runDescription>;

export const runUse = z
  .object({
    run_id: z.string(),
    pipeline_id: z.string().nullable(),
    environment: z.string().nullable(),
    user: z.string().nullable(),
    versions: z.array(z.int()),
    last_used_at: timestamp,
  })
  .meta({ id: 'RunUse', description: 'A run that used the secret, and which of its versions.' });
export type RunUse = z.infer<typeof runUse>;

export const updateOrganizationRequest = z
  .strictObject({
    record_reads: z
      .boolean()
      .optional()
      .meta({ description: 'Whether reads of metadata leave a record too.' }),
    rotation_policies: rotationPolicies.optional(),
    audit_retention_days: z
      .int()
      .min(30, 'must be at least 30 days')
      .max(3650, 'must be at most 3650 days')
      .nullable()
      .optional()
      .meta({ description: 'How long audit records are kept; null for ever.' }),
  })
  .meta({ id: 'UpdateOrganizationRequest' });

export const organizationDescription = z
  .object({
    id: z.string(),
    created_at: timestamp,
    record_reads: z.boolean(),
    rotation_policies: rotationPolicies,
    audit_retention_days: z.int().nullable(),
  })
  .meta({ id: 'Organization' });
export type OrganizationDescription = z.infer<typeof organizationDescription>;

export const accessQuery = z.strictObject({
  ...selector.shape,
  days: queryNumber(1, 3650).prefault(90).meta({ description: 'Who resolved it in the last so many days.' }),
});
export type AccessQuery = z.infer<typeof accessQuery>;

export const secretAccess = z
  .object({
    name: z.string(),
    scope: scopeName,
    pipeline_id: z.string().nullable(),
    user: z.string().nullable(),
    environment: z.string().nullable(),
    last_accessed_at: timestamp.nullable(),
    can_resolve: z
      .array(
        z.object({
          api_key_id: z.string(),
          name: z.string(),
          role: roleName,
          pipelines: z.array(pipelineId).nullable(),
          environments: z.array(environmentName).nullable(),
          expires_at: timestamp.nullable(),
          last_used_at: timestamp.nullable(),
        }),
      )
      .meta({ description: 'Keys in force whose runs could; of bounds, null means any.' }),
    did_resolve: z.array(
      z.object({
        api_key_id: z.string().nullable(),
        user: z.string().nullable(),
        pipeline_id: z.string().nullable(),
        last_at: timestamp,
        resolves: z.int(),
        versions: z.array(z.int()),
      }),
    ),
    complete: z.boolean().meta({ description: 'Whether that is all; else the newest resolves only.' }),
  })
  .meta({ id: 'SecretAccess', description: 'Who may resolve a secret, and who did.' });
