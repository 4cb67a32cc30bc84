import * as z from 'zod';
import { scopeFields, scopeName, selector } from './coordinates.ts';
import { environmentName, pipelineId, secretName, timestamp, userId } from './ids.ts';
import { oneLine } from './one-line.ts';
import { page, queryNumber } from './page.ts';
import { secretReminder } from './reminders.ts';
import { rotation, rotatorConfig } from './rotators.ts';
import { duration, labels, reason, versionStage } from './stages.ts';

const MAX_METADATA_BYTES = 4096;

const value = z.string().min(1, 'must not be empty').meta({
  description: 'The secret: 1 byte to 64 KiB of UTF-8, or bytes with `encoding: base64`.',
  writeOnly: true,
});
const encoding = z.enum(['utf8', 'base64']).default('utf8');
const description = oneLine(z.string().max(1024, 'must be at most 1024 characters'));
const metadata = z
  .record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()]))
  .refine(
    (labels) => Object.keys(labels).every((key) => /^[A-Za-z][A-Za-z0-9_.-]{0,63}$/.test(key)),
    'keys must be a letter, then at most 63 letters, digits, _ . or -',
  )
  .refine(
    (labels) => Buffer.byteLength(JSON.stringify(labels)) <= MAX_METADATA_BYTES,
    `must be at most ${MAX_METADATA_BYTES} bytes of JSON`,
  )
  .meta({ description: 'Labels of your own. Not encrypted and shown to every viewer: no secrets here.' });
const rotationDays = z
  .int()
  .min(1, 'must be at least 1 day')
  .max(3650, 'must be at most 3650 days')
  .meta({ description: 'Remind when the current version is older than this many days.' });
const isolation = z.enum(['shared', 'dedicated']).optional().meta({
  description: '`dedicated` seals it under a data key of its own that is never cached; otherwise `shared`.',
});
const version = z.int().min(1);

export const valueFields = { value, encoding };

/** Where a secret stands or shall stand. */
export const placeFields = {
  ...scopeFields,
  environment: z
    .union([z.literal('none'), environmentName])
    .optional()
    .meta({
      description:
        'The one environment it serves, or `none` for every one; when absent, `metadata.environment`, else every one.',
    }),
};

const secretFields = {
  ...valueFields,
  description: description.optional(),
  ...placeFields,
  metadata: metadata.optional(),
  rotation_days: rotationDays.optional(),
  isolation,
};

export const namePath = z.strictObject({ name: secretName });

export const createSecretRequest = z
  .strictObject({ name: secretName, ...secretFields })
  .meta({ id: 'CreateSecretRequest' });

export const putSecretRequest = z
  .strictObject({
    name: secretName.optional().meta({ description: 'When given, the same as in the path.' }),
    ...secretFields,
    expected_version: version.optional(),
    reason: reason.optional(),
  })
  .meta({ id: 'PutSecretRequest' });

export const updateSecretRequest = z
  .strictObject({
    description: description.nullable().optional(),
    metadata: metadata.optional(),
    rotation_days: rotationDays.nullable().optional(),
  })
  .meta({ id: 'UpdateSecretRequest' });

export const rotateSecretRequest = z
  .strictObject({
    new_value: value,
    encoding,
    reason: reason.optional(),
    expected_version: version
      .optional()
      .meta({ description: 'Refuse with 409 when this is not the current version.' }),
    stage: z.enum(['current', 'pending']).optional().meta({
      description: '`pending` stores it without going live: `@pending` resolves it until it is activated.',
    }),
    keep_previous_for: duration
      .optional()
      .meta({ description: 'How long `@previous` resolves the version that this one replaces.' }),
  })
  .meta({ id: 'RotateSecretRequest' });

export const rollbackSecretRequest = z
  .strictObject({ version, reason: reason.optional(), expected_version: version.optional() })
  .meta({ id: 'RollbackSecretRequest' });

export const listSecretsQuery = z.strictObject({
  ...selector.shape,
  ...page,
  prefix: z
    .string()
    .regex(/^[A-Za-z][A-Za-z0-9_-]{0,127}$/, 'must be the beginning of a name')
    .optional(),
  due_within_days: queryNumber(0, 3650).optional(),
  unread_days: queryNumber(1, 3650)
    .optional()
    .meta({ description: 'Not resolved in the last so many days, and as old at least.' }),
  never_read: z.enum(['true', 'false']).default('false').meta({ description: '`true`: never resolved.' }),
  deleted: z
    .enum(['true', 'false'])
    .default('false')
    .meta({ description: '`true` lists what can be restored.' }),
});
export type ListSecretsQuery = z.infer<typeof listSecretsQuery>;

export const deleteSecretQuery = z.strictObject({
  ...selector.shape,
  recovery_days: queryNumber(0, 30).prefault(7).meta({
    description: 'How long it can be restored; 0 removes it at once and for good.',
  }),
});

export const historyQuery = z.strictObject({ ...selector.shape, ...page });

export const secretMetadata = z
  .object({
    name: z.string(),
    scope: scopeName,
    pipeline_id: pipelineId.nullable(),
    user: userId.nullable(),
    environment: environmentName.nullable(),
    description: z.string().nullable(),
    metadata: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
    version,
    fingerprint: z.string().nullable().meta({
      description:
        'The same for the same value in every environment of the organization; null for who may not write it.',
    }),
    created_at: timestamp,
    created_by: z.string(),
    last_rotated: timestamp.nullable(),
    last_rotated_by: z.string().nullable(),
    rotation_days: z.int().nullable(),
    next_rotation_at: timestamp.nullable(),
    last_accessed_at: timestamp.nullable(),
    deleted_at: timestamp.nullable(),
    ...labels,
    rotator: rotatorConfig.nullable().default(null).meta({ description: 'What rotates it by itself.' }),
    rotation: rotation.nullable().default(null).meta({ description: 'Where that stands, or how it ended.' }),
    reminder: secretReminder.optional(),
    unchanged: z.literal(true).optional().meta({
      description:
        'Only in the answer to a write: the value was the current one already, so no version was added.',
    }),
    warnings: z
      .array(z.string())
      .optional()
      .meta({ description: 'After a value was stored: what whoever stored it should know.' }),
  })
  .meta({ id: 'SecretMetadata', description: 'What is known of a secret. Never its value.' });
export type SecretMetadata = z.infer<typeof secretMetadata>;

export const historyEntry = z
  .object({
    rotated_at: timestamp,
    rotated_by: z.string(),
    reason: z.string(),
    version,
    restored_version: version
      .nullable()
      .meta({ description: 'The version whose value a roll back brought back.' }),
    current: z.boolean(),
    stage: versionStage.nullable().default(null).meta({ description: 'The label that it carries.' }),
  })
  .meta({ id: 'HistoryEntry' });
export type HistoryEntry = z.infer<typeof historyEntry>;
