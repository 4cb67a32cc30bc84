import { services } from '#services';
import { expireAudit } from '../shared/callers/expire-audit.ts';

/** The hourly schedule: removes audit records that are older than their organization keeps them. */
export async function handler(): Promise<void> {
  const removed = await expireAudit(services);
  if (removed > 0) services.log({ level: 'info', function: 'expire-audit', removed });
}
