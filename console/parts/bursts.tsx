import type { Burst } from '../state/audit.ts';
import { count, moment, span } from '../state/words.ts';
import type { Stretch } from './timeline.tsx';

const SHOWN = 3;

/** Refusals in quick succession: somebody tries doors. */
export function Bursts(props: {
  readonly bursts: readonly Burst[];
  readonly onChoose: (stretch: Stretch) => void;
}) {
  const { bursts, onChoose } = props;
  if (bursts.length === 0) return null;
  return (
    <ul class="bursts">
      {bursts.slice(0, SHOWN).map(({ who, from, to, entries }) => (
        <li key={`${who} ${from}`}>
          <b>{count(entries.length, 'refusal')}</b> of <b>{who}</b> within {span(Math.max(to - from, 60_000))}
          , {moment(from)}: tried to{' '}
          {[...new Set(entries.map(({ attempted }) => attempted ?? 'come in'))].join(', ')}
          <button type="button" class="quiet" onClick={() => onChoose({ from: from - 1000, to: to + 1000 })}>
            Show them
          </button>
        </li>
      ))}
      {bursts.length > SHOWN && <li class="soft">and {count(bursts.length - SHOWN, 'more burst')}</li>}
    </ul>
  );
}
