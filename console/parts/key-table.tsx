import type { ApiKeyDescription } from '../../shared/contract/access.ts';
import { keyState } from '../state/keys.ts';
import { caller } from '../state/session.ts';
import { day, now, relative } from '../state/words.ts';
import { Heading } from './heading.tsx';
import { VirtualRows } from './virtual-rows.tsx';
import { isNarrow } from './width.ts';

/** Key by key, newest first. */
export function KeyTable(props: {
  readonly keys: readonly ApiKeyDescription[];
  readonly onRevoke: (key: ApiKeyDescription) => void;
}) {
  return (
    <VirtualRows
      label="API keys"
      className="key-list"
      items={props.keys}
      keyOf={({ id }) => id}
      rowHeight={isNarrow.value ? 9 : 3.4}
      columns={5}
      rowClass={(key) => keyState(key, now.value)}
      header={['Name', 'Role and bounds', 'Last used', 'Ends', 'Revoke'].map((text) => (
        <Heading key={text} text={text} />
      ))}
      row={(key, cell) => (
        <>
          <div {...cell(0)} class="cell">
            <b>{key.name}</b>
            <small>
              {key.subject} <code>{key.id}</code>
              {key.id === caller.value?.key_id && ' · the key of this session'}
            </small>
          </div>
          <div {...cell(1)} class="cell">
            <span class="tag">{key.role}</span>
            <small>{boundsOf(key)}</small>
          </div>
          <div {...cell(2)} class="cell">
            {key.last_used_at === null ? 'never' : relative(key.last_used_at)}
            <small>made {relative(key.created_at)}</small>
          </div>
          <div {...cell(3)} class="cell">
            {endOf(key)}
          </div>
          <div {...cell(4)} class="cell">
            {keyState(key, now.value) === 'good' && (
              <button type="button" class="danger" onClick={() => props.onRevoke(key)}>
                Revoke<span class="hidden"> {key.name}</span>…
              </button>
            )}
          </div>
        </>
      )}
    />
  );
}

function boundsOf({ pipelines, environments }: ApiKeyDescription): string {
  const bounds = [...(pipelines ?? []), ...(environments ?? [])];
  return bounds.length === 0 ? 'everywhere' : `only ${bounds.join(', ')}`;
}

function endOf(key: ApiKeyDescription): string {
  if (key.revoked_at !== null) return `revoked ${day(key.revoked_at)}`;
  if (key.expires_at === null) return 'never';
  return Date.parse(key.expires_at) < now.value ? `expired ${day(key.expires_at)}` : day(key.expires_at);
}
