import * as z from 'zod';
import { scopeName } from './coordinates.ts';
import { environmentName, pipelineId, runId, secretName, timestamp, userId } from './ids.ts';
import { page, queryNumber } from './page.ts';

export const auditAction = z.enum([
  'create',
  'rotate',
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
  'denied',
  'start_run',
  'end_run',
  'create_api_key',
  'revoke_api_key',
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

export const auditVerification = z
  .object({
    verified: z.boolean(),
    events: z.int(),
    checkpoints: z.int(),
    first_bad: z.object({ sequence: z.int(), reason: z.string() }).optional(),
  })
  .meta({ id: 'AuditVerification' });
