/** Tells what was asked for earlier from what was asked for later. */
export type Ticket = number;

interface Entry<T> {
  readonly value: T;
  readonly storedAt: number;
  readonly ticket: Ticket;
}

/**
 * A bounded cache of values: the entry that was used longest ago goes first, none lives longer than its time.
 * Who fetches takes a ticket before it asks: what was on its way when a denial or a drop came is not kept.
 */
export class Cache<T = string> {
  readonly #maxAgeMs: number;
  readonly #maxEntries: number;
  readonly #now: () => number;
  readonly #entries = new Map<string, Entry<T>>();
  #last: Ticket = 0;
  #barrier: Ticket = 0;

  /** @param now the wall clock: a Lambda's monotonic one may stand still while the function is frozen */
  constructor(seconds: number, maxEntries: number, now: () => number = Date.now) {
    this.#maxAgeMs = seconds * 1000;
    this.#maxEntries = maxEntries;
    this.#now = now;
  }

  /** To be taken before asking. */
  ticket(): Ticket {
    this.#last += 1;
    return this.#last;
  }

  /** The value, and whether its time is nearly over; undefined when there is none or it is too old. */
  get(key: string): { readonly value: T; readonly isAging: boolean } | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    const age = this.#now() - entry.storedAt;
    this.#entries.delete(key);
    if (age < 0 || age >= this.#maxAgeMs) return undefined;
    this.#entries.set(key, entry); // now the one used last
    return { value: entry.value, isAging: age >= this.#maxAgeMs * AGING };
  }

  /** Keeps what was asked for with that ticket. */
  put(key: string, value: T, ticket: Ticket): void {
    if (ticket <= this.#barrier || this.#maxAgeMs <= 0) return;
    const known = this.#entries.get(key);
    if (known !== undefined && known.ticket > ticket) return;
    this.#entries.delete(key);
    this.#entries.set(key, { value, storedAt: this.#now(), ticket });
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= this.#maxEntries) break;
      this.#entries.delete(oldest);
    }
  }

  /** What was asked for with this ticket or an earlier one is not to be relied on any more. */
  get barrier(): Ticket {
    return this.#barrier;
  }

  /** Forgets a secret, every version of it, and all that is on its way. */
  drop(name: string): void {
    for (const key of this.#entries.keys()) if (key.split('@')[0] === name) this.#entries.delete(key);
    this.#barrier = this.#last;
  }

  /** Forgets everything, also what is on its way. */
  clear(): void {
    this.#entries.clear();
    this.#barrier = this.#last;
  }
}

// From this part of its time on, a value is fetched anew while it is still given out.
const AGING = 0.75;

/** Lets one fetch a key while others wait for what it brings. */
export class Flights<T> {
  readonly #running = new Map<string, { readonly ticket: Ticket; readonly landing: Promise<T> }>();

  /**
   * Joins the flight of this key, or starts one.
   * @param since a flight that began at this ticket or before it is not joined: it may bring what is known to be old
   */
  fetch(key: string, since: Ticket, next: () => Ticket, fly: (ticket: Ticket) => Promise<T>): Promise<T> {
    const running = this.#running.get(key);
    if (running !== undefined && running.ticket > since) return running.landing;
    const ticket = next();
    const landing = fly(ticket).finally(() => {
      if (this.#running.get(key)?.ticket === ticket) this.#running.delete(key);
    });
    this.#running.set(key, { ticket, landing });
    return landing;
  }
}
