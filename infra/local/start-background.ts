import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { EmbeddedServices } from '../../shared/embedded/services.ts';
import { sharedTurns, turnsOfRequests } from '../../shared/embedded/turns.ts';

const RESTART_AFTER_MS = 1000;
/** Events of so many milliseconds are told of together. */
const TELL_AFTER_MS = 10;

/**
 * Starts the thread that does what runs beside the requests, so that no request waits for it. When it fails it
 * is started anew: what it had to do waits in the store.
 */
export function startBackgroundThread({ database, log }: Pick<EmbeddedServices, 'database' | 'log'>) {
  let stopping = false;
  let telling: NodeJS.Timeout | undefined;
  let restarting: NodeJS.Timeout | undefined;
  let thread: Worker | undefined;
  const turns = sharedTurns();
  database.turns = turnsOfRequests(turns);

  const start = () => {
    thread = new Worker(new URL('./background-thread.ts', import.meta.url), { workerData: turns });
    thread.once('error', () => log({ level: 'error', function: 'background', code: 'internal' }));
    thread.once('exit', () => {
      thread = undefined;
      if (!stopping) restarting = setTimeout(start, RESTART_AFTER_MS);
    });
  };
  const tell = () => {
    telling = undefined;
    thread?.postMessage('record');
  };
  database.onCommit = () => {
    telling ??= setTimeout(tell, TELL_AFTER_MS);
  };
  start();
  return {
    /** Settles when what waits was recorded, as far as it can be now. */
    stop: async () => {
      stopping = true;
      clearTimeout(telling);
      clearTimeout(restarting);
      if (thread === undefined) return;
      const ended = once(thread, 'exit');
      thread.postMessage('stop');
      await ended;
    },
  };
}
