import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { ApiKeyDescription } from '../../shared/contract/access.ts';
import { KeyTable } from '../parts/key-table.tsx';
import { Notice, Progress } from '../parts/notice.tsx';
import { apiKeys, apiKeysProblem, readApiKeys } from '../state/keys.ts';
import { returns } from '../state/session.ts';
import { count } from '../state/words.ts';
import { CreateApiKey } from '../writes/create-api-key.tsx';
import { RevokeApiKey } from '../writes/revoke-api-key.tsx';

/** The API keys: what each may, when it was last used; made and revoked here. */
export function Keys() {
  const isCreating = useSignal(false);
  const revoking = useSignal<ApiKeyDescription | null>(null);
  useEffect(() => void readApiKeys(), [returns.value]);
  const keys = apiKeys.value;
  return (
    <main id="main" class="view keys">
      <div class="bar">
        <h1>API keys</h1>
        <span class="soft" role="status">
          {keys !== null && count(keys.length, 'key')}
        </span>
        <span class="grow" />
        <button type="button" class="main" onClick={() => (isCreating.value = true)}>
          New key
        </button>
      </div>
      {apiKeysProblem.value !== null && (
        <Notice kind="failed" title="The keys could not be read">
          <p>{apiKeysProblem.value}</p>
          <button type="button" onClick={() => void readApiKeys()}>
            Try again
          </button>
        </Notice>
      )}
      {keys === null && apiKeysProblem.value === null && <Progress label="Reading keys" share={null} />}
      {keys !== null && <KeyTable keys={keys} onRevoke={(key) => (revoking.value = key)} />}
      {isCreating.value && <CreateApiKey onClose={() => (isCreating.value = false)} />}
      {revoking.value !== null && (
        <RevokeApiKey apiKey={revoking.value} onClose={() => (revoking.value = null)} />
      )}
    </main>
  );
}
