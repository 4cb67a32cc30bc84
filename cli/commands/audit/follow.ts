import { setTimeout as pause } from 'node:timers/promises';
import * as routes from '../../../functions/routes.ts';
import type { AuditEntry } from '../../../shared/contract/audit.ts';
import type { Api, InputOf } from '../../api.ts';
import { Failure } from '../../failure.ts';
import type { Terminal } from '../../terminal.ts';

const POLL_MS = 1000;
const RETRY_MS = 2000;
/** What stays what it is however often it is asked: a key that may not, a filter that is none. */
const LASTING = [401, 403, 404, 422];

/** Shows what comes into the log, from now on, for ever. A server that restarts or cannot answer is asked again. */
export async function follow(
  api: Api,
  terminal: Terminal,
  filter: Omit<InputOf<typeof routes.queryAudit>, 'after' | 'limit'>,
  show: (entry: AuditEntry) => void,
): Promise<void> {
  let cursor: string | undefined;
  for (let isReached = true; ; ) {
    try {
      const page = await api.page(routes.queryAudit, { ...filter, after: 'end' }, cursor);
      for (const entry of page.items) show(entry);
      cursor = page.next;
      if (!isReached) terminal.note('The server answers again.');
      isReached = true;
      if (page.items.length === 0) await pause(POLL_MS);
    } catch (error) {
      if (!(error instanceof Failure) || LASTING.includes(error.problem.status ?? 0) || cursor === undefined)
        throw error;
      if (isReached) terminal.note('The server does not answer; asking on.');
      isReached = false;
      await pause(RETRY_MS);
    }
  }
}
