import { actions } from '../state/kinds.ts';
import { addressOf, go } from '../state/place.ts';
import { looksSecret } from '../writes/hidden-value.ts';

const ranges = { '1': '24 hours', '7': '7 days', '30': '30 days', '90': '90 days', '365': 'a year' } as const;
const texts = { secret_name: 'Secret', pipeline_id: 'Pipeline', run_id: 'Run', user: 'User' } as const;

/** Every filter that the API has. What is asked for stands in the address. */
export function AuditFilters(props: {
  readonly filter: Readonly<Record<string, string>>;
  readonly usualDays: string;
}) {
  const { filter, usualDays } = props;
  const submit = (event: SubmitEvent & { currentTarget: HTMLFormElement }) => {
    event.preventDefault();
    const given = [...new FormData(event.currentTarget)]
      .map(([name, value]) => [name, String(value).trim()] as const)
      .filter(([, value]) => value !== '')
      .map(([name, value]) => [
        name,
        name === 'from' || name === 'to' ? new Date(value).toISOString() : value,
      ]);
    const asked = Object.fromEntries(given) as Record<string, string>;
    // A time of its own says more than a number of days.
    if (asked['from'] || asked['to']) delete asked['days'];
    go(addressOf('audit', asked));
  };
  const isNarrowed = Object.keys(filter).length > 0;
  return (
    <form class="filters" onSubmit={submit} autocomplete="off">
      <label>
        Last
        <select name="days" value={filter['days'] ?? (isNarrowed ? '' : usualDays)}>
          <option value="">any time</option>
          {Object.entries(ranges).map(([days, label]) => (
            <option key={days} value={days}>
              {label}
            </option>
          ))}
        </select>
      </label>
      <label>
        Action
        <select name="action" value={filter['action'] ?? ''}>
          <option value="">any</option>
          {actions.map((action) => (
            <option key={action}>{action}</option>
          ))}
        </select>
      </label>
      <label>
        Outcome
        <select name="outcome" value={filter['outcome'] ?? ''}>
          <option value="">any</option>
          <option>success</option>
          <option>failed</option>
          <option>denied</option>
        </select>
      </label>
      {Object.entries(texts).map(([name, label]) => (
        <label key={name}>
          {label}
          <input
            type="text"
            name={name}
            defaultValue={filter[name] ?? ''}
            spellcheck={false}
            onPaste={(event) => {
              // What is asked for goes into the address and the history of the browser.
              if (looksSecret(event.clipboardData?.getData('text/plain') ?? '')) event.preventDefault();
            }}
          />
        </label>
      ))}
      <details>
        <summary>Exact time</summary>
        <label>
          From
          <input type="datetime-local" name="from" defaultValue={local(filter['from'])} />
        </label>
        <label>
          To
          <input type="datetime-local" name="to" defaultValue={local(filter['to'])} />
        </label>
      </details>
      <button type="submit" class="main">
        Ask
      </button>
      {isNarrowed && <a href={addressOf('audit')}>Clear</a>}
    </form>
  );
}

/** A time as the field wants it: where the reader is, without a zone. */
function local(time: string | undefined): string {
  if (time === undefined) return '';
  const at = new Date(time);
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
