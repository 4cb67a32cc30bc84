import { services } from '#services';
import { sweepOutbox } from '../shared/audit/sweep-outbox.ts';

/** The schedule that finds events which never reached the audit log, and records them. */
export async function handler(): Promise<void> {
  const found = await sweepOutbox(services);
  if (found > 0)
    services.log({ level: 'error', function: 'sweep-outbox', code: 'unrecorded_events', events: found });
}
