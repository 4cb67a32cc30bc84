import type { Caller } from './caller.ts';

/** The answer that a repeated request gets, kept for a day. */
export interface Replay {
  readonly caller: string;
  readonly key: string;
  readonly fingerprint: string;
  readonly status: number;
  /** The answer as JSON; empty for none; null when it must not be given twice, as for a new API key. */
  readonly answer: string | null;
  readonly expires_at: string;
}

export interface ReplayStore {
  /** What the same caller's request with this key was answered; null when there was none or it is too old. */
  find(caller: string, key: string): Promise<Replay | null>;
}

const REPLAY_MS = 24 * 60 * 60 * 1000;

/** Whose `Idempotency-Key`s these are: keys of different credentials never meet. */
export function replayCaller(caller: Caller): string {
  return caller.kind === 'run' ? `${caller.org}/run/${caller.run_id}` : `${caller.org}/key/${caller.key_id}`;
}

/** What to keep of an answer so that the same request can be answered again; null without an `Idempotency-Key`. */
export function replayFor(caller: Caller, now: Date, status: number, answer: string | null): Replay | null {
  if (caller.idempotency === null) return null;
  const expires_at = new Date(now.getTime() + REPLAY_MS).toISOString();
  return { caller: replayCaller(caller), ...caller.idempotency, status, answer, expires_at };
}
