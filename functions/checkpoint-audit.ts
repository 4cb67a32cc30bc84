import { services } from '#services';
import { checkpointOrganizations } from '../shared/callers/checkpoint-organizations.ts';

/** The minute's schedule: signs what each organization's log is now, and says when one is not what it was. */
export async function handler(): Promise<void> {
  const { broken } = await checkpointOrganizations(services);
  for (const { org, sequence, reason } of broken) {
    services.log({
      level: 'error',
      function: 'checkpoint-audit',
      code: 'broken_chain',
      org,
      sequence,
      reason,
    });
  }
}
