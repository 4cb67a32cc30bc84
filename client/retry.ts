import { setTimeout as sleep } from 'node:timers/promises';
import { UnavailableError } from './errors.ts';

/** How often to ask again, when the server is away for a moment. */
export interface RetryOptions {
  /** How often to ask at most. */
  readonly attempts?: number | undefined;
  /** For how long to ask, all attempts and waits together. */
  readonly seconds?: number | undefined;
  /** How long one attempt may take. */
  readonly attemptSeconds?: number | undefined;
  /** The first wait; it doubles each time. */
  readonly baseSeconds?: number | undefined;
  /** The longest wait, also when a `Retry-After` asks for more. */
  readonly longestSeconds?: number | undefined;
}

const defaults = { attempts: 4, seconds: 30, attemptSeconds: 15, baseSeconds: 0.2, longestSeconds: 5 };

/**
 * Calls until it answers. Between two attempts the wait doubles, cut by chance to a half at least, so that many
 * runs do not come back at once; never less than a `Retry-After`.
 * @param attempt what to try, ended by its signal; an {@link UnavailableError} is a reason to try again
 * @param signal the caller's; its reason is thrown as it is
 * @throws UnavailableError the last one, or when the time is over
 */
export async function retrying<T>(
  options: RetryOptions,
  signal: AbortSignal | undefined,
  attempt: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { attempts, seconds, attemptSeconds, baseSeconds, longestSeconds } = withDefaults(options);
  const over = AbortSignal.timeout(seconds * 1000);
  const ended = signal === undefined ? over : AbortSignal.any([signal, over]);
  let failure = new UnavailableError(`The server did not answer within ${seconds} seconds.`);
  for (let count = 0; count < attempts && !over.aborted; count += 1) {
    try {
      signal?.throwIfAborted();
      return await attempt(AbortSignal.any([ended, AbortSignal.timeout(attemptSeconds * 1000)]));
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof UnavailableError)) throw error;
      failure = error;
    }
    if (count + 1 < attempts) {
      const delay = Math.min(longestSeconds, baseSeconds * 2 ** count) * (0.5 + Math.random() / 2);
      await pause(Math.max(delay, Math.min(failure.retryAfter ?? 0, longestSeconds)), ended);
    }
  }
  signal?.throwIfAborted();
  throw failure;
}

function withDefaults(options: RetryOptions): typeof defaults {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  return { ...defaults, ...Object.fromEntries(given) };
}

/** Ends early, and not by an error, when there is nothing to wait for any more. */
async function pause(seconds: number, ended: AbortSignal): Promise<void> {
  await sleep(seconds * 1000, undefined, { signal: ended }).catch(() => undefined);
}
