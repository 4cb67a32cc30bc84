import { useSignal } from '@preact/signals';
import type { SecretMetadata } from '../../shared/contract/secrets.ts';
import { call } from '../state/api.ts';
import { selectorOf } from '../state/place.ts';
import { putSecret } from '../state/secrets.ts';
import { DAY } from '../state/words.ts';
import { TextField } from './text-field.tsx';
import { WriteDialog } from './write-dialog.tsx';

/** Says why a due secret is not rotated now, and until when nobody need be reminded. */
export function AckSecret(props: { readonly secret: SecretMetadata; readonly onClose: () => void }) {
  const { secret, onClose } = props;
  const reason = useSignal('');
  const until = useSignal(new Date(Date.now() + 14 * DAY).toISOString().slice(0, 10));
  const write = async (once: string) => {
    putSecret(
      await call<SecretMetadata>('POST', `/secrets/${secret.name}/ack`, {
        query: selectorOf(secret),
        body: { reason: reason.value, until: until.value },
        once,
      }),
    );
  };
  return (
    <WriteDialog
      title={`Acknowledge ${secret.name}`}
      action="Acknowledge"
      isReady={reason.value !== '' && until.value !== ''}
      onWrite={write}
      onClose={onClose}
    >
      <p>It stays due, and nobody is reminded until that day. A new version ends it.</p>
      <TextField
        label="Why it is not rotated now"
        value={reason.value}
        required
        onInput={(text) => (reason.value = text)}
      />
      <TextField
        label="Quiet until"
        type="date"
        value={until.value}
        required
        onInput={(text) => (until.value = text)}
      />
    </WriteDialog>
  );
}

/** Quiet for some days; 0 ends a quiet time. @throws Problem */
export async function snooze(secret: SecretMetadata, days: number): Promise<void> {
  const body = { days };
  const query = selectorOf(secret);
  putSecret(await call<SecretMetadata>('POST', `/secrets/${secret.name}/snooze`, { query, body }));
}
