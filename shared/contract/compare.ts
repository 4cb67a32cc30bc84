import * as z from 'zod';
import { scopeName } from './coordinates.ts';
import { environmentName, pipelineId, secretName, userId } from './ids.ts';
import { placeFields, valueFields } from './secrets.ts';

export const compareRequest = z
  .strictObject({
    entries: z
      .array(z.strictObject({ name: secretName, ...valueFields, ...placeFields }))
      .min(1)
      .max(100, 'must be at most 100 entries'),
  })
  .meta({ id: 'CompareRequest' });

export const comparison = z.object({
  name: z.string(),
  scope: scopeName,
  pipeline_id: pipelineId.nullable(),
  user: userId.nullable(),
  environment: environmentName.nullable(),
  result: z.enum(['absent', 'same', 'different', 'deleted']).meta({
    description:
      'What putting the value there would meet; `deleted`: a secret that can be restored holds the place.',
  }),
  version: z
    .int()
    .nullable()
    .meta({ description: 'The current version that it was compared with: `expected_version` of the put.' }),
});
export type Comparison = z.infer<typeof comparison>;

export const compareResponse = z
  .object({ entries: z.array(comparison).meta({ description: 'In the order of the request.' }) })
  .meta({ id: 'CompareResponse' });
