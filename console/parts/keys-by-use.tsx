import { useEffect } from 'preact/hooks';
import { apiKeys, apiKeysProblem, keyState, readApiKeys } from '../state/keys.ts';
import { addressOf } from '../state/place.ts';
import { now, relative } from '../state/words.ts';

/** The keys that still open something, longest unused first: what may be revoked. */
export function KeysByUse() {
  useEffect(() => void readApiKeys(), []);
  const keys = (apiKeys.value ?? [])
    .filter((key) => keyState(key, now.value) === 'good')
    .toSorted((a, b) => ((a.last_used_at ?? '') < (b.last_used_at ?? '') ? -1 : 1));
  return (
    <section class="sheet">
      <h2>Keys, longest unused first</h2>
      {apiKeysProblem.value !== null && <p class="problem">{apiKeysProblem.value}</p>}
      <ul class="key-uses">
        {keys.map(({ id, name, role, subject, last_used_at, created_at }) => (
          <li key={id}>
            <span>
              <b>{name}</b> <span class="tag">{role}</span>
              <small> {subject}</small>
            </span>
            <span class={last_used_at === null ? 'problem' : ''}>
              {last_used_at === null
                ? `never used, made ${relative(created_at)}`
                : `used ${relative(last_used_at)}`}
            </span>
          </li>
        ))}
      </ul>
      <p>
        <a href={addressOf('keys')}>All keys</a>
      </p>
    </section>
  );
}
