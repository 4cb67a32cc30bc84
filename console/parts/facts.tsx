import type { SecretMetadata } from '../../shared/contract/secrets.ts';
import { dueWords, urgencyOf } from '../state/due.ts';
import { moment, relative } from '../state/words.ts';

/** When a secret was made, changed and used, and its labels. */
export function Facts(props: { readonly secret: SecretMetadata }) {
  const { secret } = props;
  const labels = Object.entries(secret.metadata);
  return (
    <dl class="facts">
      <Fact term="Created" time={secret.created_at} by={secret.created_by} />
      <Fact term="Last rotated" time={secret.last_rotated} by={secret.last_rotated_by} />
      <Fact term="Last used" time={secret.last_accessed_at} by={null} />
      <div class={urgencyOf(secret)}>
        <dt>Rotation</dt>
        <dd>
          <b>{dueWords(secret)}</b>
          <small>{secret.rotation_days === null ? '' : `every ${secret.rotation_days} days`}</small>
        </dd>
      </div>
      {secret.deleted_at !== null && <Fact term="Deleted" time={secret.deleted_at} by={null} />}
      {labels.map(([label, value]) => (
        <div key={label}>
          <dt>{label}</dt>
          <dd>
            <b>{String(value)}</b>
          </dd>
        </div>
      ))}
    </dl>
  );
}

function Fact(props: { readonly term: string; readonly time: string | null; readonly by: string | null }) {
  const { term, time, by } = props;
  return (
    <div>
      <dt>{term}</dt>
      <dd>
        <b>{time === null ? 'never' : relative(time)}</b>
        <small>
          {time !== null && moment(time)}
          {by !== null && ` by ${by}`}
        </small>
      </dd>
    </div>
  );
}
