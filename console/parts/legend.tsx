import { type Kind, kinds } from '../state/kinds.ts';
import { count } from '../state/words.ts';

const labels: Readonly<Record<Kind, string>> = {
  resolves: 'Resolves',
  changes: 'Changes',
  upkeep: 'Keys, runs, upkeep',
  reads: 'Reads',
  refused: 'Refused or failed',
};

/** What each colour is, how many there are, and whether they are shown. */
export function Legend(props: {
  readonly counts: Readonly<Record<Kind, number>>;
  readonly hidden: ReadonlySet<Kind>;
  readonly onChange: (hidden: ReadonlySet<Kind>) => void;
}) {
  const { counts, hidden, onChange } = props;
  return (
    <fieldset class="questions">
      <legend class="hidden">Kinds that are shown</legend>
      {kinds.map((kind) => (
        <button
          key={kind}
          type="button"
          class={`chip kind ${kind}`}
          aria-pressed={!hidden.has(kind)}
          onClick={() => onChange(hidden.symmetricDifference(new Set([kind])))}
        >
          {labels[kind]} <b>{count(counts[kind])}</b>
        </button>
      ))}
    </fieldset>
  );
}
