import { services } from '#services';
import { purgeDeleted } from '../shared/secrets/purge-deleted.ts';

/** The hourly schedule: removes for good what can no longer be restored. */
export async function handler(): Promise<void> {
  const removed = await purgeDeleted(services);
  if (removed > 0) services.log({ level: 'info', function: 'purge-deleted', removed });
}
