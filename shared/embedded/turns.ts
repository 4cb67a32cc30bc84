/**
 * Whose turn it is to write, when two threads write one file. The background's writes follow close upon each other,
 * so that a request's write which only tried again found the file taken, again and again. A write of requests that
 * was kept waiting claims the next turn, and the background's next one gives way until it is done.
 */
export interface Turns {
  /** Another connection kept a write waiting. */
  readonly claim: () => void;
  /** The write is done, or given up. */
  readonly release: () => void;
  /** Before a write that can wait. May hold up the thread. */
  readonly giveWay: () => void;
}

const nothing = () => undefined;

/** Of a connection that writes alone. */
export const alone: Turns = { claim: nothing, release: nothing, giveWay: nothing };

/** How long the background gives way at most: a thread that claimed its turn and died must not stop it. */
const GIVE_WAY_MS = 250;

/** What the two threads share to take turns. */
export function sharedTurns(): SharedArrayBuffer {
  return new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
}

export function turnsOfRequests(shared: SharedArrayBuffer): Turns {
  const claimed = new Int32Array(shared);
  return {
    claim: () => void Atomics.store(claimed, 0, 1),
    release: () => {
      if (Atomics.exchange(claimed, 0, 0) === 1) Atomics.notify(claimed, 0);
    },
    giveWay: nothing,
  };
}

export function turnsOfBackground(shared: SharedArrayBuffer): Turns {
  const claimed = new Int32Array(shared);
  return { claim: nothing, release: nothing, giveWay: () => void Atomics.wait(claimed, 0, 1, GIVE_WAY_MS) };
}
