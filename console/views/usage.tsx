import { useComputed, useSignal } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import { KeysByUse } from '../parts/keys-by-use.tsx';
import { LogProblem } from '../parts/log-problem.tsx';
import { NeverUsed } from '../parts/never-used.tsx';
import { ReadingOn } from '../parts/reading-on.tsx';
import { UsageMatrix } from '../parts/usage-matrix.tsx';
import { AuditReader } from '../state/audit.ts';
import { may, returns } from '../state/session.ts';
import { usageOf } from '../state/usage.ts';
import { now } from '../state/words.ts';

const spans = [7, 30, 90] as const;

/** Who uses what: resolves by pipeline and environment, secrets that nobody uses, keys by their last use. */
export function Usage() {
  const reader = useMemo(() => new AuditReader(), []);
  const days = useSignal<(typeof spans)[number]>(30);
  useEffect(() => {
    void reader.read({ action: 'access', days: days.value });
    return () => reader.forget();
  }, [days.value, returns.value]);
  const usage = useComputed(() => usageOf(reader.entries.value, days.value, now.value));
  return (
    <main id="main" class="view usage">
      <div class="bar">
        <h1>Usage</h1>
        <fieldset class="questions">
          <legend class="hidden">How far back</legend>
          {spans.map((span) => (
            <button
              key={span}
              type="button"
              class="chip"
              aria-pressed={days.value === span}
              onClick={() => {
                days.value = span;
              }}
            >
              {span} days
            </button>
          ))}
        </fieldset>
        <ReadingOn reader={reader} what="values given out" />
      </div>
      <LogProblem reader={reader} />
      <div class="halves">
        <UsageMatrix usage={usage.value} days={days.value} isWhole={reader.state.value === 'whole'} />
        <NeverUsed />
        {may('manage_api_keys') && <KeysByUse />}
      </div>
    </main>
  );
}
