import { useSignal } from '@preact/signals';
import type { ApiKeyDescription } from '../../shared/contract/access.ts';
import { call } from '../state/api.ts';
import { readApiKeys } from '../state/keys.ts';
import { caller } from '../state/session.ts';
import { TypedName } from './typed-name.tsx';
import { WriteDialog } from './write-dialog.tsx';

/** Ends a key, and the tokens of the runs that it started. */
export function RevokeApiKey(props: { readonly apiKey: ApiKeyDescription; readonly onClose: () => void }) {
  const { apiKey, onClose } = props;
  const typed = useSignal('');
  const write = async (once: string) => {
    await call('DELETE', `/api-keys/${apiKey.id}`, { once });
    await readApiKeys();
  };
  return (
    <WriteDialog
      title={`Revoke ${apiKey.name}`}
      action="Revoke"
      isDangerous
      isReady={typed.value === apiKey.name}
      onWrite={write}
      onClose={onClose}
    >
      <p>
        Whatever uses it is refused from now on, and so are the runs that it started. It cannot be undone.
      </p>
      {apiKey.id === caller.value?.key_id && (
        <p class="problem">This is the key of this session: you will be signed out.</p>
      )}
      <TypedName name={apiKey.name} value={typed.value} onInput={(text) => (typed.value = text)} />
    </WriteDialog>
  );
}
