import { useComputed, useSignal } from '@preact/signals';
import { DueCalendar } from '../parts/due-calendar.tsx';
import { DueList } from '../parts/due-list.tsx';
import { Notice, Progress, Skeleton } from '../parts/notice.tsx';
import { SecretsProblem } from '../parts/secrets-problem.tsx';
import { dayKey, urgencyOf } from '../state/due.ts';
import { reading, readSecrets, secrets, showDeleted, showsDeleted } from '../state/secrets.ts';
import { count } from '../state/words.ts';

/** The urgencies that can be asked for. */
type Shown = 'all' | 'overdue' | 'soon' | 'quiet';
const labels = { all: 'All', overdue: 'Overdue', soon: 'In 30 days', quiet: 'Quiet' } as const;

/** What has to be rotated: overdue first, then day by day. */
export function Rotation() {
  const shown = useSignal<Shown>('all');
  const chosenDay = useSignal<string | null>(null);
  if (showsDeleted.value) showDeleted(false);
  const due = useComputed(() =>
    secrets.value
      .filter(({ next_rotation_at }) => next_rotation_at !== null)
      .toSorted((a, b) => (String(a.next_rotation_at) < String(b.next_rotation_at) ? -1 : 1)),
  );
  const listed = useComputed(() =>
    due.value.filter(
      (secret) =>
        (shown.value === 'all' || urgencyOf(secret) === shown.value) &&
        (chosenDay.value === null || dayKey(secret.next_rotation_at ?? '') === chosenDay.value),
    ),
  );
  const { state } = reading.value;
  return (
    <main id="main" class="view rotation">
      <div class="bar">
        <h1>Rotation</h1>
        <span class="soft" role="status">
          {count(due.value.length)} of {count(secrets.value.length, 'secret')} have a date
        </span>
        <span class="grow" />
        <button type="button" onClick={() => void readSecrets()}>
          Read again
        </button>
      </div>
      {state === 'under-way' && (
        <Progress label={`Reading secrets, ${count(secrets.value.length)} so far`} share={null} />
      )}
      <SecretsProblem />
      {due.value.length > 0 && (
        <section class="sheet calendar" aria-label="Calendar">
          <fieldset class="tiles">
            <legend class="hidden">Show</legend>
            {(Object.keys(labels) as Shown[]).map((name) => (
              <button
                key={name}
                type="button"
                class={`tile is-${name}`}
                aria-pressed={shown.value === name && chosenDay.value === null}
                onClick={() => {
                  shown.value = name;
                  chosenDay.value = null;
                }}
              >
                <b>
                  {count(
                    name === 'all'
                      ? due.value.length
                      : due.value.filter((one) => urgencyOf(one) === name).length,
                  )}
                </b>
                {labels[name]}
              </button>
            ))}
          </fieldset>
          <DueCalendar
            secrets={due.value}
            chosen={chosenDay.value}
            onChoose={(day) => {
              chosenDay.value = day;
              shown.value = 'all';
            }}
          />
        </section>
      )}
      {listed.value.length > 0 && <DueList secrets={listed.value} />}
      {due.value.length === 0 && state === 'under-way' && <Skeleton />}
      {listed.value.length === 0 && state === 'whole' && (
        <Notice title={due.value.length === 0 ? 'No secret has a date' : 'Nothing here: that is good news'}>
          <p>
            {due.value.length === 0
              ? 'Give a secret rotation_days, or the organization a rotation policy, and its owner is reminded.'
              : 'No secret is due then.'}
          </p>
        </Notice>
      )}
    </main>
  );
}
