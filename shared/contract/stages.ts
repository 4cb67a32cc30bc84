import * as z from 'zod';
import { timestamp } from './ids.ts';
import { oneLine } from './one-line.ts';

/** Where a secret stands: docs/stages.md. */
export const secretState = z.enum(['settled', 'overlap', 'staged', 'staged_overlap']);
export type SecretState = z.infer<typeof secretState>;

const version = z.int().min(1);
export const duration = z.string().regex(/^[1-9][0-9]{0,4}[smhd]$/, 'must be a duration like 30m, 24h or 7d');
export const reason = oneLine(z.string().min(1).max(512, 'must be at most 512 characters'));

const expectedPending = version
  .optional()
  .meta({ description: 'Refuse with 409 when another version is pending.' });

export const activateSecretRequest = z
  .strictObject({
    version: expectedPending,
    reason: reason.optional(),
    keep_previous_for: duration.optional().meta({
      description:
        'How long `@previous` resolves the version that is replaced; else what was said when it was staged.',
    }),
  })
  .meta({ id: 'ActivateSecretRequest' });

export const abandonSecretRequest = z
  .strictObject({ version: expectedPending, reason: reason.optional() })
  .meta({ id: 'AbandonSecretRequest' });

export const pruneSecretRequest = z
  .strictObject({
    dry_run: z
      .boolean()
      .default(false)
      .meta({ description: '`true` lists what would go, and removes nothing.' }),
  })
  .meta({ id: 'PruneSecretRequest' });

export const pruneSecretResponse = z
  .object({
    pruned: z.boolean().meta({ description: 'Whether these versions are gone.' }),
    versions: z.array(z.object({ version, created_at: timestamp, may_go_at: timestamp })),
  })
  .meta({ id: 'PruneSecretResponse' });

/** The labels in a secret's metadata. */
export const labels = {
  state: secretState.default('settled'),
  previous: z
    .object({ version, until: timestamp })
    .nullable()
    .default(null)
    .meta({ description: 'What `@previous` resolves, and until when.' }),
  pending: z
    .object({ version, staged_at: timestamp, staged_by: z.string() })
    .nullable()
    .default(null)
    .meta({ description: 'What `@pending` resolves: stored, and not live.' }),
};

export const versionStage = z.enum(['current', 'previous', 'pending', 'abandoned']);
