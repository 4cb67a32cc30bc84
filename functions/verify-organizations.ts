import { services } from '#services';
import { verifyOrganizations } from '../shared/callers/verify-organizations.ts';

/** The daily schedule: reads every log whole, compares the store with it, and says what is not what it was. */
export async function handler(): Promise<void> {
  for await (const { org, sequence, reason } of verifyOrganizations(services))
    services.log({
      level: 'error',
      function: 'verify-organizations',
      code: 'broken_chain',
      org,
      sequence,
      reason,
    });
}
