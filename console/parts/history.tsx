import type { HistoryEntry } from '../../shared/contract/secrets.ts';
import { moment, relative } from '../state/words.ts';

/** Every version: when, who and why. */
export function History(props: {
  readonly entries: readonly HistoryEntry[];
  readonly onRollBack: ((version: number) => void) | null;
}) {
  const { entries, onRollBack } = props;
  if (entries.length === 0) return null;
  return (
    <section>
      <h3>History</h3>
      <ol class="history">
        {entries.map(({ version, rotated_at, rotated_by, reason, restored_version, current }) => (
          <li key={version} class={current ? 'current' : ''}>
            <span class="version">v{version}</span>
            <span>
              <b>{reason}</b>
              {restored_version !== null && <> (the value of v{restored_version})</>}
              <small>
                {rotated_by} · <time title={moment(rotated_at)}>{relative(rotated_at)}</time>
              </small>
            </span>
            {current ? (
              <span class="tag">current</span>
            ) : (
              onRollBack !== null && (
                <button type="button" class="quiet" onClick={() => onRollBack(version)}>
                  Roll back<span class="hidden"> to version {version}</span>…
                </button>
              )
            )}
          </li>
        ))}
      </ol>
    </section>
  );
}
