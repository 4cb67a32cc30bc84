import * as z from 'zod';
import { timestamp } from './ids.ts';
import { oneLine } from './one-line.ts';

const MAX_POLICIES = 50;

const reminderReason = oneLine(
  z.string().min(1, 'must not be empty').max(512, 'must be at most 512 characters'),
);

const rotationPolicy = z.strictObject({
  metadata: z
    .record(
      z.string().regex(/^[A-Za-z][A-Za-z0-9_.-]{0,63}$/),
      z.union([z.string().max(256), z.number(), z.boolean()]),
    )
    .refine((labels) => Object.keys(labels).length <= 10, 'must have at most 10 labels'),
  rotation_days: z.int().min(1, 'must be at least 1 day').max(3650, 'must be at most 3650 days'),
});
export type RotationPolicy = Readonly<z.infer<typeof rotationPolicy>>;

/** An organization's policies. Without labels one is for every secret. */
export const rotationPolicies = z
  .array(rotationPolicy)
  .max(MAX_POLICIES, `must be at most ${MAX_POLICIES} policies`)
  .meta({
    description:
      'How old the secrets with these labels may get. Of several that fit, and of a secret’s own rotation_days, the fewest days count.',
  });

export const ackSecretRequest = z
  .strictObject({
    reason: reminderReason.meta({ description: 'Why it is not rotated now.' }),
    until: z.union([timestamp, z.iso.date()]).meta({
      description: 'No reminder before this day or moment, at most a year from now.',
    }),
  })
  .meta({ id: 'AckSecretRequest' });

export const snoozeSecretRequest = z
  .strictObject({
    days: z
      .int()
      .min(0, 'must be at least 0')
      .max(30, 'must be at most 30 days')
      .meta({ description: '0 ends a snooze or an acknowledgement.' }),
  })
  .meta({ id: 'SnoozeSecretRequest' });

/** Why a secret is due, beside its age. */
const dueBecause = z.enum(['rotation_days', 'policy', 'key_revoked', 'exported', 'rotation_failed']);

/** Somebody answered a reminder. It ends by itself with the next version. */
export const quietTime = z.object({
  kind: z.enum(['ack', 'snooze']),
  until: timestamp,
  reason: z.string().nullable(),
  by: z.string(),
  at: timestamp,
});
export type QuietTime = Readonly<z.infer<typeof quietTime>>;

/** What reminders know of a secret; part of its metadata when there is a date for it. */
export const secretReminder = z
  .object({ because: dueBecause, owner: z.string(), quiet: quietTime.nullable() })
  .meta({
    description: 'Why `next_rotation_at` is when it is, who is reminded, and whether somebody answered.',
  });
