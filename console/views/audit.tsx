import { useComputed, useSignal } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import type { AuditEntry } from '../../shared/contract/audit.ts';
import { AuditFilters } from '../parts/audit-filters.tsx';
import { AuditTable } from '../parts/audit-table.tsx';
import { Bursts } from '../parts/bursts.tsx';
import { ChainState } from '../parts/chain-state.tsx';
import { EntryDetail } from '../parts/entry-detail.tsx';
import { Legend } from '../parts/legend.tsx';
import { LogProblem } from '../parts/log-problem.tsx';
import { Notice, Skeleton } from '../parts/notice.tsx';
import { ReadingOn } from '../parts/reading-on.tsx';
import { type Stretch, Timeline } from '../parts/timeline.tsx';
import { isNarrow } from '../parts/width.ts';
import { AuditReader, burstsOf } from '../state/audit.ts';
import { bucketsOf, countKinds } from '../state/buckets.ts';
import { type Kind, kindOf } from '../state/kinds.ts';
import { place } from '../state/place.ts';
import { returns } from '../state/session.ts';
import { DAY } from '../state/words.ts';

const USUAL_DAYS = '7';

/** Who did what: over time, and entry by entry. */
export function Audit() {
  const reader = useMemo(() => new AuditReader(), []);
  const chosen = useSignal<Stretch | null>(null);
  const hidden = useSignal<ReadonlySet<Kind>>(new Set());
  const opened = useSignal<AuditEntry | null>(null);
  const filter = Object.fromEntries(place.value.query);
  const asked = place.value.query.toString();
  useEffect(() => {
    chosen.value = null;
    // One run, one secret: its whole story. Everything: the last days.
    const isNarrowed = Object.keys(filter).length > 0;
    void reader.read(isNarrowed ? filter : { days: USUAL_DAYS });
    return () => reader.forget();
  }, [asked, returns.value]);

  const counts = useComputed(() => countKinds(reader.entries.value));
  const bursts = useComputed(() => burstsOf(reader.entries.value));
  const whole = useComputed(() =>
    stretchOf(reader.entries.value, filter['days'] ?? (asked ? null : USUAL_DAYS)),
  );
  const buckets = useComputed(() =>
    bucketsOf(reader.entries.value, whole.value.from, whole.value.to, isNarrow.value ? 60 : 140),
  );
  const shown = useComputed(() => {
    const { value: stretch } = chosen;
    if (stretch === null && hidden.value.size === 0) return reader.entries.value;
    const [from, to] = stretch === null ? ['', '9'] : [iso(stretch.from), iso(stretch.to)];
    return reader.entries.value.filter(
      (entry) => entry.timestamp >= from && entry.timestamp <= to && !hidden.value.has(kindOf(entry)),
    );
  });
  return (
    <main id="main" class="view audit">
      <div class="bar">
        <h1>Audit</h1>
        <ReadingOn reader={reader} what="entries" />
        <span class="grow" />
        <ChainState />
      </div>
      <AuditFilters key={asked} filter={filter} usualDays={USUAL_DAYS} />
      {reader.entries.value.length > 0 && (
        <section class="sheet" aria-label="Timeline">
          <Legend counts={counts.value} hidden={hidden.value} onChange={(next) => (hidden.value = next)} />
          <Timeline
            buckets={buckets.value}
            whole={whole.value}
            bursts={bursts.value}
            hidden={hidden.value}
            chosen={chosen.value}
            onChoose={(stretch) => (chosen.value = stretch)}
          />
          <Bursts bursts={bursts.value} onChoose={(stretch) => (chosen.value = stretch)} />
        </section>
      )}
      <LogProblem reader={reader} />
      {shown.value.length > 0 ? (
        <AuditTable entries={shown.value} onOpen={(entry) => (opened.value = entry)} />
      ) : (
        <NothingYet state={reader.state.value} />
      )}
      {opened.value !== null && <EntryDetail entry={opened.value} onClose={() => (opened.value = null)} />}
    </main>
  );
}

function NothingYet({ state }: { readonly state: AuditReader['state']['value'] }) {
  if (state === 'under-way') return <Skeleton />;
  if (state !== 'whole') return null;
  return (
    <Notice title="No entry matches">
      <p>Nothing of this kind happened in this time. Choose a longer one, or fewer filters.</p>
    </Notice>
  );
}

/** From the first moment asked for, or the oldest entry read, to now or the newest. */
function stretchOf(entries: readonly AuditEntry[], days: string | null): Stretch {
  const newest = Date.parse(entries[0]?.timestamp ?? '') || Date.now();
  const oldest = Date.parse(entries.at(-1)?.timestamp ?? '') || newest - DAY;
  if (days !== null) return { from: Math.min(oldest, Date.now() - Number(days) * DAY), to: Date.now() };
  const margin = Math.max(1000, (newest - oldest) * 0.01);
  return { from: oldest - margin, to: newest + margin };
}

function iso(time: number): string {
  return new Date(time).toISOString();
}
