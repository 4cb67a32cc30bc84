import * as z from 'zod';
import { scopeName } from './coordinates.ts';
import { environmentName, pipelineId, runId, secretName, timestamp, userId } from './ids.ts';
import { page, queryNumber } from './page.ts';

export const auditAction = z.enum([
  'create',
  'rotate',
  'unchanged',
  'stage',
  'activate',
  'abandon',
  'retire',
  'prune',
  'rotation',
  'set_rotator',
  'rollback',
  'update',
  'delete',
  'restore',
  'purge',
  'ack',
  'snooze',
  'mark_due',
  'apply_policy',
  'remind',
  'access',
  'compare',
  'denied',
  'start_run',
  'end_run',
  'create_api_key',
  'revoke_api_key',
  'backup',
  'rotate_root_key',
  'rewrap',
  'reseal',
  'shred',
  'restore_backup',
  'create_organization',
  'update_organization',
  'create_notification',
  'delete_notification',
  'read',
  'list',
  'check',
  'read_history',
  'read_run',
  'list_runs',
  'list_api_keys',
  'list_notifications',
  'read_audit',
  'verify_audit',
  'export_audit',
  'expire_audit',
]);
export type AuditAction = z.infer<typeof auditAction>;

export const auditOutcome = z.enum(['success', 'failed', 'denied']);
export type AuditOutcome = z.infer<typeof auditOutcome>;

export const auditQuery = z.strictObject({
  secret_name: secretName.optional(),
  days: queryNumber(1, 3650).optional().meta({ description: 'The last so many days.' }),
  from: timestamp.optional(),
  to: timestamp.optional(),
  action: auditAction.optional(),
  outcome: auditOutcome.optional(),
  pipeline_id: pipelineId.optional(),
  run_id: runId.optional(),
  user: userId.optional(),
  after: z
    .union([z.literal('end'), queryNumber(0)])
    .optional()
    .meta({
      description:
        'Follow the log instead: oldest first, what came after this record, or after the present end. There is always a next page.',
    }),
  ...page,
});
export type AuditQuery = z.infer<typeof auditQuery>;

export const auditEntry = z
  .object({
    timestamp,
    action: auditAction,
    outcome: auditOutcome,
    secret_name: z.string().optional(),
    scope: scopeName.optional(),
    environment: environmentName.nullable().optional().meta({ description: 'The secret’s.' }),
    version: z.int().optional(),
    pipeline_id: z.string().optional(),
    run_id: z.string().optional(),
    run_environment: z.string().optional().meta({ description: 'Where the run ran.' }),
    user: z.string().optional(),
    api_key_id: z.string().optional(),
    ip_address: z.string().optional(),
    attempted: z.string().optional().meta({ description: 'What a denied caller tried.' }),
    reason: z.string().optional(),
    request_id: z.string().optional(),
    sequence: z.int(),
  })
  .meta({ id: 'AuditEntry' });
export type AuditEntry = z.infer<typeof auditEntry>;

export const verifyAuditQuery = z.strictObject({
  from: queryNumber(0).optional().meta({
    description: 'The size of a checkpoint from which on to check; from the beginning when absent.',
  }),
  root: z
    .base64()
    .length(44)
    .optional()
    .meta({ description: 'The root in a checkpoint of that size that you kept: the log must have had it.' }),
});
export type VerifyAuditQuery = z.infer<typeof verifyAuditQuery>;

const badRecord = z.object({ sequence: z.int(), reason: z.string() });

export const auditVerification = z
  .object({
    verified: z.boolean(),
    events: z.int(),
    checkpoints: z.int(),
    expired: z.int().optional().meta({ description: 'Records older than the organization keeps them.' }),
    first_bad: badRecord.optional(),
    stale: z.array(badRecord).optional().meta({
      description: 'Secrets, keys and runs that are not what a record says: put back as they were.',
    }),
    continue_from: z
      .int()
      .optional()
      .meta({ description: 'There is more than one call checks: go on `from` here.' }),
  })
  .meta({ id: 'AuditVerification' });
export type AuditVerification = z.infer<typeof auditVerification>;

export const exportFormat = z.enum(['jsonl', 'csv', 'ocsf']);
export type ExportFormat = z.infer<typeof exportFormat>;

export const exportAuditQuery = z.strictObject({
  format: exportFormat.default('jsonl').meta({
    description: '`jsonl` can be verified by whoever has the public key; `csv` and `ocsf` are for reading.',
  }),
  from_sequence: queryNumber(1).prefault(1).meta({ description: 'The first record.' }),
  ...page,
});
export type ExportAuditQuery = z.infer<typeof exportAuditQuery>;

export const proveAuditQuery = z.strictObject({
  sequence: queryNumber(1).meta({ description: 'The record to prove.' }),
  since: queryNumber(0)
    .optional()
    .meta({ description: 'The size of an older checkpoint that the newest one must continue.' }),
});
export type ProveAuditQuery = z.infer<typeof proveAuditQuery>;

const base64 = z.string();
export const auditProof = z
  .object({
    sequence: z.int(),
    record: z.string().meta({ description: 'The record’s canonical bytes.' }),
    leaf_hash: base64.meta({ description: 'SHA-256 over 0x00 and those bytes.' }),
    checkpoint: z.string().meta({ description: 'The newest checkpoint: a C2SP signed note.' }),
    inclusion: z.array(base64).meta({ description: 'RFC 6962, 2.1.1, lowest first.' }),
    consistency: z.array(base64).optional().meta({ description: 'RFC 6962, 2.1.2, from `since` on.' }),
  })
  .meta({ id: 'AuditProof' });
export type AuditProof = z.infer<typeof auditProof>;

export const auditPublicKey = z
  .object({
    origin: z.string().meta({ description: 'The name of the log, as its checkpoints begin.' }),
    key_id: z.string().meta({ description: 'Eight hex digits: how a signed note names the key.' }),
    algorithm: z.literal('ECDSA-P256-SHA256'),
    public_key: z.string().meta({ description: 'SPKI in PEM.' }),
  })
  .meta({ id: 'AuditPublicKey' });
