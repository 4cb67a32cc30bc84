import type { AuditEvent } from './event.ts';

/** What a batch of events says about the service, for whoever watches it. */
export interface Measures {
  readonly Recorded: number;
  readonly Denied: number;
  /** Milliseconds between the oldest event and its place in the log. */
  readonly AuditDelay: number;
}

/** @param texts events as the outbox holds them */
export function measuresOf(texts: readonly string[], now: Date): Measures {
  const events = texts.map((text) => JSON.parse(text) as AuditEvent);
  const oldest = Math.min(now.getTime(), ...events.map(({ timestamp }) => Date.parse(timestamp)));
  return {
    Recorded: events.length,
    Denied: events.filter(({ outcome }) => outcome === 'denied').length,
    AuditDelay: now.getTime() - oldest,
  };
}
