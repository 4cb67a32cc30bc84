import { addressOf } from '../state/place.ts';
import { caller } from '../state/session.ts';
import type { PlaceUsage } from '../state/usage.ts';
import { count, relative } from '../state/words.ts';

/** Resolves, a row a pipeline and a column an environment, each with its days. */
export function UsageMatrix(props: {
  readonly usage: readonly PlaceUsage[];
  readonly days: number;
  readonly isWhole: boolean;
}) {
  const { usage, days, isWhole } = props;
  const known = caller.value?.known_environments ?? [];
  const named = new Set(usage.map(({ environment }) => environment));
  const environments = [
    ...known.filter((name) => named.has(name)),
    ...[...named].filter((name) => !known.includes(name)).sort(),
  ];
  const pipelines = [...Map.groupBy(usage, ({ pipeline }) => pipeline)].toSorted(
    ([, a], [, b]) => sum(b) - sum(a),
  );
  const busiest = Math.max(1, ...usage.flatMap((place) => place.days));
  return (
    <div class="sheet wide">
      <h2>Resolves by pipeline and environment</h2>
      {usage.length === 0 && (
        <p class="soft">{isWhole ? `Nothing was resolved in the last ${days} days.` : 'Reading the log…'}</p>
      )}
      {usage.length > 0 && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so the keyboard must reach it
        <section class="scrolls" tabIndex={0} aria-label="Resolves by pipeline and environment">
          <table class="usage-table">
            <thead>
              <tr>
                <th scope="col">Pipeline</th>
                {environments.map((name) => (
                  <th key={name} scope="col">
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {pipelines.map(([pipeline, places]) => (
                <tr key={pipeline}>
                  <th scope="row">
                    <a href={addressOf('audit', { pipeline_id: pipeline, days: String(days) })}>{pipeline}</a>
                    <small>{count(sum(places), 'resolve')}</small>
                  </th>
                  {environments.map((name) => (
                    <td key={name}>
                      <Place
                        place={places.find(({ environment }) => environment === name)}
                        busiest={busiest}
                      />
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
    </div>
  );
}

function Place(props: { readonly place: PlaceUsage | undefined; readonly busiest: number }) {
  const { place, busiest } = props;
  if (place === undefined) return <span class="soft">–</span>;
  const width = place.days.length * 6;
  return (
    <>
      <span class="pairs">
        <b>{count(place.resolves)}</b>
        <svg
          viewBox={`0 0 ${width} 24`}
          preserveAspectRatio="none"
          role="img"
          aria-label={`by day: ${place.days.join(', ')}`}
        >
          {place.days.map((number, index) => {
            const height = number === 0 ? 1 : Math.max(3, (number / busiest) * 24);
            return (
              <rect
                key={index}
                class={number === 0 ? 'none' : ''}
                x={index * 6}
                y={24 - height}
                width={5}
                height={height}
              />
            );
          })}
        </svg>
      </span>
      <small>
        {count(place.secrets, 'secret')}, {count(place.runs, 'run')}, last {relative(place.last)}
      </small>
    </>
  );
}

function sum(places: readonly PlaceUsage[]): number {
  return places.reduce((total, { resolves }) => total + resolves, 0);
}
