import { signal } from '@preact/signals';
import type { CallerDescription } from '../../shared/contract/access.ts';
import { apiKey, call, Problem, unreachableSince } from './api.ts';

/** Who is signed in; null until the server has said so. */
export const caller = signal<CallerDescription | null>(null);
/** Why somebody has to sign in again. */
export const farewell = signal<string | null>(null);

const KEPT = 'fm.api-key';

/** Whether the key of this credential may ask for this at all. The server decides anew each time. */
export function may(action: string): boolean {
  return caller.value?.may.includes(action) ?? false;
}

/**
 * @param keep for this tab, until it is closed: else a reload asks again
 * @throws Problem
 */
export async function signIn(key: string, keep: boolean): Promise<void> {
  apiKey.value = key;
  try {
    caller.value = await call<CallerDescription>('GET', '/caller');
    farewell.value = null;
    if (keep) sessionStorage.setItem(KEPT, key);
  } catch (error) {
    // The server that does not answer now may answer soon, and then the key that was kept is still good.
    if (!(error instanceof Problem && error.status === 0 && keep)) signOut();
    throw error;
  }
}

/** Signs in with what this tab kept, if it did. */
export async function resume(): Promise<void> {
  const kept = sessionStorage.getItem(KEPT);
  if (kept !== null) await signIn(kept, true).catch(endWhenRefused);
}

export function signOut(why: string | null = null): void {
  sessionStorage.removeItem(KEPT);
  apiKey.value = null;
  caller.value = null;
  farewell.value = why;
}

/** For the errors of every request: a key that is refused ends the session. @returns what to show */
export function endWhenRefused(error: unknown): string {
  if (!(error instanceof Problem)) return error instanceof Error ? error.message : 'Something went wrong.';
  if (error.status === 401 && caller.value !== null)
    signOut('This key is no longer valid: it was revoked, or it expired.');
  return error.message;
}

/** How often the server has come back: what was read before is read anew. */
export const returns = signal(0);

const FIRST_RETRY_MS = 1000;
const LAST_RETRY_MS = 30_000;

/** Asks again and again, ever more seldom, until the server answers. */
export function watchConnection(onReturn: () => void): void {
  let waiting: ReturnType<typeof setTimeout> | undefined;
  const retry = (delay: number) => {
    waiting = setTimeout(async () => {
      waiting = undefined;
      const isBack = await fetch('/health', { cache: 'no-store' }).then(
        ({ ok }) => ok,
        () => false,
      );
      if (!isBack) return retry(Math.min(delay * 2, LAST_RETRY_MS));
      unreachableSince.value = null;
      returns.value += 1;
      onReturn();
    }, delay);
  };
  unreachableSince.subscribe((since) => {
    if (since !== null && waiting === undefined) retry(FIRST_RETRY_MS);
  });
}
