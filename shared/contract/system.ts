import * as z from 'zod';

export const health = z
  .object({
    status: z.literal('ok'),
    version: z.string(),
    audit_lag: z.int().meta({ description: 'Events not yet in the audit log.' }),
  })
  .meta({ id: 'Health' });

export const openapiDocument = z.looseObject({ openapi: z.string() });
