import * as z from 'zod';
import { secretName, timestamp } from './ids.ts';
import { duration } from './stages.ts';

const keep_previous_for = duration.default('24h').meta({
  description: 'How long the version before stays at hand, and its credential works, after each rotation.',
});
const role = z.string().regex(/^[A-Za-z_][A-Za-z0-9_-]{0,62}$/, 'must be a role of the database');

/** What rotates a secret by itself. No field of it is a value: it is part of the secret's metadata. */
export const rotatorConfig = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('token').meta({ description: 'A random token, base64url.' }),
    bytes: z.int().min(16).max(64).default(32),
    prefix: z
      .string()
      .regex(/^[A-Za-z0-9_-]{0,16}$/, 'must be at most 16 letters, digits, _ or -')
      .default(''),
    keep_previous_for,
  }),
  z.strictObject({
    kind: z.literal('postgres').meta({
      description: 'Two roles of a PostgreSQL database that take turns: `{"username", "password", …}`.',
    }),
    admin_secret: secretName.meta({
      description: 'A secret of the organization: `{"host", "port", "dbname", "username", "password"}`.',
    }),
    users: z.tuple([role, role]),
    keep_previous_for,
  }),
  z.strictObject({
    kind: z
      .literal('https')
      .meta({ description: 'A hook of your own, for example a Lambda’s function URL.' }),
    url: z.string().max(2048),
    keep_previous_for,
  }),
]);
export type RotatorConfig = z.infer<typeof rotatorConfig>;

export const setRotatorRequest = z
  .strictObject({ rotator: rotatorConfig.nullable() })
  .meta({ id: 'SetRotatorRequest' });

export const rotatorAnswer = z
  .object({
    rotator: rotatorConfig.nullable(),
    signing_key: z.string().nullable().meta({ description: 'Verifies the posts to an `https` hook.' }),
  })
  .meta({ id: 'RotatorAnswer' });

export const rotationRequest = z
  .strictObject({
    action: z.enum(['start', 'resume', 'abandon']),
    dry_run: z.boolean().default(false).meta({ description: 'Try what can be tried, and change nothing.' }),
  })
  .meta({ id: 'RotationRequest' });

/** Where a rotation by a rotator stands. */
export const rotation = z.object({
  id: z.string(),
  step: z.enum(['create', 'test', 'activate', 'finish']),
  state: z.enum(['running', 'failed', 'done']),
  dry_run: z.boolean(),
  error: z.string().nullable(),
  started_at: timestamp,
  tried_at: timestamp.nullable(),
});
export type Rotation = z.infer<typeof rotation>;
