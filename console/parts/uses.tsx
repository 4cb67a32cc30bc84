import { addressOf } from '../state/place.ts';
import type { PipelineUse } from '../state/secret.ts';
import { count, relative } from '../state/words.ts';

const SHOWN = 5;

/** Which pipelines used a secret, and their latest runs. */
export function Uses(props: { readonly uses: readonly PipelineUse[] | null }) {
  const { uses } = props;
  return (
    <section>
      <h3>Used by</h3>
      {uses === null && <p class="soft">This key may not read the audit log, which knows.</p>}
      {uses?.length === 0 && <p class="soft">No run has used it.</p>}
      {uses?.map(({ pipeline, environment, runs }) => (
        <details key={`${pipeline} ${environment}`} class="use">
          <summary>
            <b>{pipeline}</b> <span class="tag">{environment}</span>
            <span class="soft">
              {count(runs.length, 'run')}, last {relative(runs[0]?.last_used_at ?? '')}
            </span>
          </summary>
          <ul>
            {runs.slice(0, SHOWN).map(({ run_id, versions, last_used_at }) => (
              <li key={run_id}>
                <a href={addressOf('audit', { run_id })}>{run_id}</a>{' '}
                {versions.map((one) => `v${one}`).join(', ')}, {relative(last_used_at)}
              </li>
            ))}
            {runs.length > SHOWN && <li class="soft">and {count(runs.length - SHOWN)} more</li>}
          </ul>
        </details>
      ))}
    </section>
  );
}
