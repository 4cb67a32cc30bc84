import { setTimeout as sleep } from 'node:timers/promises';
import { handler as checkpointAudit } from '../../functions/checkpoint-audit.ts';
import { handler as expireAudit } from '../../functions/expire-audit.ts';
import { handler as purgeDeleted } from '../../functions/purge-deleted.ts';
import { handler as recordAudit } from '../../functions/record-audit.ts';
import { handler as remindRotation } from '../../functions/remind-rotation.ts';
import { handler as sweepOutbox } from '../../functions/sweep-outbox.ts';
import { handler as tendSecrets } from '../../functions/tend-secrets.ts';
import { handler as verifyOrganizations } from '../../functions/verify-organizations.ts';
import type { EmbeddedServices } from '../../shared/embedded/services.ts';
import { streamEvent } from './events.ts';

// As long as nobody waits for: events that come together are indexed together, at a fraction of the cost.
const RECORD_AFTER_MS = 50;
const RETRY_AFTER_MS = 1000;
const TIDY_EVERY_MS = 250;
const CHECKPOINT_EVERY_MS = 60 * 1000;
/** How long a stop waits for schedules that run. */
const DRAIN_MS = 30_000;
const REMIND_EVERY_MS = 10 * 60 * 1000;
const TEND_EVERY_MS = 60 * 1000;
const PURGE_EVERY_MS = 60 * 60 * 1000;
const VERIFY_EVERY_MS = 24 * 60 * 60 * 1000;
// Small enough that writes of requests, which wait while this one goes on, hardly notice.
const BATCH = 100;
const BATCH_CHARACTERS = 65_536;

/** What runs beside the requests, see {@link startBackground}. */
interface Background {
  /** Told that events were put in the outbox. */
  readonly recordSoon: () => void;
  readonly stop: () => Promise<void>;
}

/** What runs beside the requests: the outbox goes to the stream's handler, the clock to the schedules' handlers. */
export function startBackground(services: EmbeddedServices): Background {
  const { auditStore, callerStore, database, log } = services;
  let waiting: NodeJS.Timeout | undefined;
  let recording: Promise<void> | undefined;
  let tidied = performance.now();
  let stopping = false;

  // One recorder at a time: a second one would do the first one's work again, only to find it done.
  const recordSoon = (delay = RECORD_AFTER_MS) => {
    if (recording !== undefined || stopping) return;
    waiting ??= setTimeout(() => {
      waiting = undefined;
      recording = recordAll().then(
        () => recorded(RECORD_AFTER_MS),
        () => recorded(RETRY_AFTER_MS),
      );
    }, delay);
  };
  const recorded = (delay: number) => {
    recording = undefined;
    if (auditStore.pending(1).length > 0) recordSoon(delay);
  };
  const recordAll = async () => {
    for (;;) {
      const pending = firstOf(auditStore.pending(BATCH), BATCH_CHARACTERS);
      if (pending.length === 0 || performance.now() - tidied > TIDY_EVERY_MS) {
        database.checkpoint();
        tidied = performance.now();
      }
      if (pending.length === 0) return;
      const { batchItemFailures } = await recordAudit(streamEvent(pending));
      if (batchItemFailures.length > 0) throw new Error('the batch comes again');
      await auditStore.settle(pending.map(({ position }) => position));
    }
  };
  const running = new Map<string, Promise<void>>();
  /** Never beside itself; what fails is tried again the next time. */
  const attempt = (name: string, run: () => Promise<unknown>) => {
    if (running.has(name)) return;
    const done = run()
      .catch(() => log({ level: 'error', function: name, code: 'unavailable' }))
      .then(() => void running.delete(name));
    running.set(name, done);
  };
  /** Runs now and then again and again. */
  const every = (ms: number, name: string, run: () => Promise<unknown>) => {
    attempt(name, run);
    return setInterval(() => attempt(name, run), ms);
  };

  database.onCommit = () => recordSoon();
  recordSoon(0);
  const clocks = [
    every(PURGE_EVERY_MS, 'purge-deleted', purgeDeleted),
    every(PURGE_EVERY_MS, 'expire-audit', expireAudit),
    every(PURGE_EVERY_MS, 'sweep-outbox', sweepOutbox),
    every(TEND_EVERY_MS, 'tend-secrets', tendSecrets),
    every(PURGE_EVERY_MS, 'forget-replays', () => callerStore.forgetReplays()),
    every(REMIND_EVERY_MS, 'remind-rotation', remindRotation),
    every(CHECKPOINT_EVERY_MS, 'checkpoint-audit', checkpointAudit),
    // Not at the start, which it would make slow.
    setInterval(() => attempt('verify-organizations', verifyOrganizations), VERIFY_EVERY_MS),
  ];
  return {
    recordSoon: () => recordSoon(),
    stop: async () => {
      // What is put in the outbox from now on is recorded below: nothing may come to it after the store is closed.
      stopping = true;
      for (const clock of clocks) clearInterval(clock);
      clearTimeout(waiting);
      await recording;
      // A mail that is under way is noted as sent, or it would be sent again after the next start.
      await Promise.race([Promise.all(running.values()), sleep(DRAIN_MS, undefined, { ref: false })]);
      // What cannot be recorded now waits in the outbox for the next start.
      await recordAll().catch(() => undefined);
    },
  };
}

/** The first events, at least one, that have so many characters together. */
function firstOf<Event extends { readonly event: string }>(
  pending: readonly Event[],
  characters: number,
): Event[] {
  let left = characters;
  return pending.filter(({ event }, index) => {
    left -= event.length;
    return index === 0 || left >= 0;
  });
}
