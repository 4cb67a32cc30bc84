import { useSignal } from '@preact/signals';
import { useMemo } from 'preact/hooks';
import type { SecretMetadata } from '../../shared/contract/secrets.ts';
import { dayKey } from '../state/due.ts';
import { count, DAY, day, now } from '../state/words.ts';

const WEEKS = 27;
const SIZE = 15;
const GAP = 3;
const TOP = 18;
const LEFT = 34;
const monthFormat = new Intl.DateTimeFormat('en', { month: 'short' });

/** The half year to come, a column a week and a square a day, the darker the more is due. */
export function DueCalendar(props: {
  readonly secrets: readonly SecretMetadata[];
  readonly chosen: string | null;
  readonly onChoose: (day: string | null) => void;
}) {
  const { secrets, chosen, onChoose } = props;
  const today = dayKey(now.value);
  const days = useMemo(() => daysFrom(now.value), [today]);
  const counts = useMemo(() => countByDay(secrets), [secrets]);
  const active = useSignal(days.indexOf(today));
  const top = Math.max(1, ...days.map((key) => (key < today ? 0 : (counts.get(key) ?? 0))));
  const activeDay = days[active.value] ?? today;
  const steps: Readonly<Record<string, number>> = { ArrowDown: 1, ArrowUp: -1, ArrowRight: 7, ArrowLeft: -7 };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = steps[event.key];
    if (step !== undefined) active.value = Math.max(0, Math.min(days.length - 1, active.value + step));
    else if (event.key === 'Enter' || event.key === ' ') onChoose(chosen === activeDay ? null : activeDay);
    else if (event.key === 'Escape') onChoose(null);
    else return;
    event.preventDefault();
  };
  return (
    <div class="heat">
      <div
        role="slider"
        aria-label="Day. Arrow keys go by day and week, Enter shows what is due then."
        aria-valuemin={0}
        aria-valuemax={days.length - 1}
        aria-valuenow={active.value}
        aria-valuetext={`${day(`${activeDay}T12:00`)}: ${count(counts.get(activeDay) ?? 0, 'secret')} due`}
        tabIndex={0}
        onKeyDown={onKeyDown}
      >
        <svg viewBox={`0 0 ${LEFT + WEEKS * (SIZE + GAP)} ${TOP + 7 * (SIZE + GAP)}`} aria-hidden="true">
          {['Mon', 'Wed', 'Fri'].map((name, index) => (
            <text key={name} x={0} y={TOP + (index * 2 + 0.75) * (SIZE + GAP)}>
              {name}
            </text>
          ))}
          {days.map((key, index) => {
            const week = Math.floor(index / 7);
            const number = key < today ? 0 : (counts.get(key) ?? 0);
            const classes = [
              'day',
              key < today && 'past',
              key === today && 'today',
              key === chosen && 'chosen',
              key === activeDay && 'active',
            ];
            return (
              <g key={key}>
                {key.endsWith('-01') && (
                  <text x={LEFT + week * (SIZE + GAP)} y={11}>
                    {monthFormat.format(new Date(`${key}T12:00`))}
                  </text>
                )}
                {/** biome-ignore lint/a11y/noStaticElementInteractions: for the mouse; the slider takes the keys */}
                <rect
                  class={classes.filter(Boolean).join(' ')}
                  x={LEFT + week * (SIZE + GAP)}
                  y={TOP + (index % 7) * (SIZE + GAP)}
                  width={SIZE}
                  height={SIZE}
                  rx={3}
                  style={{ '--share': `${number === 0 ? 0 : Math.round(20 + 80 * (number / top))}%` }}
                  onClick={() => {
                    active.value = index;
                    onChoose(chosen === key ? null : key);
                  }}
                >
                  <title>{`${day(`${key}T12:00`)}: ${number} due`}</title>
                </rect>
              </g>
            );
          })}
        </svg>
      </div>
      <p class="soft" aria-live="polite">
        {chosen === null ? (
          <>
            <span>
              {day(`${activeDay}T12:00`)}: {count(counts.get(activeDay) ?? 0)} due
            </span>{' '}
            <span class="scale-key">
              fewer <i style={{ '--share': '20%' }} />
              <i style={{ '--share': '60%' }} />
              <i style={{ '--share': '100%' }} /> more
            </span>
          </>
        ) : (
          <>
            {day(`${chosen}T12:00`)} is shown.{' '}
            <button type="button" class="quiet" onClick={() => onChoose(null)}>
              Show every day
            </button>
          </>
        )}
      </p>
    </div>
  );
}

/** The days of so many weeks, from the Monday of this one. */
function daysFrom(time: number): readonly string[] {
  const noon = new Date(time).setHours(12, 0, 0, 0);
  const monday = noon - ((new Date(noon).getDay() + 6) % 7) * DAY;
  return Array.from({ length: WEEKS * 7 }, (_, index) => dayKey(monday + index * DAY));
}

function countByDay(secrets: readonly SecretMetadata[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { next_rotation_at } of secrets) {
    const key = dayKey(next_rotation_at ?? '');
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}
