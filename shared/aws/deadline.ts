import { setTimeout as sleep } from 'node:timers/promises';
import { unavailable } from './failures.ts';

/** Less than the 10 seconds that a caller waits, so that the answer is ours and not a timeout. */
const REQUEST_MS = 8000;
const FIRST_PAUSE_MS = 25;
const LONGEST_PAUSE_MS = 1000;

/** How long one call of a port may take in all, with every retry. */
export class Deadline {
  readonly #until = performance.now() + REQUEST_MS;
  #pauses = 0;
  /** Ends the requests that are under way when the time is over. */
  readonly signal: AbortSignal = AbortSignal.timeout(REQUEST_MS);

  /**
   * Waits before another try: up to twice as long each time, and a random part of it, so that those who
   * collided do not collide again.
   * @throws SecretsError `unavailable` when the time would be over by then
   */
  async pause(): Promise<void> {
    const longest = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** this.#pauses);
    this.#pauses += 1;
    const pause = Math.random() * longest;
    if (performance.now() + pause >= this.#until) throw unavailable();
    await sleep(pause);
  }
}
