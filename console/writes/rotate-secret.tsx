import { useSignal } from '@preact/signals';
import { useRef } from 'preact/hooks';
import type { SecretMetadata } from '../../shared/contract/secrets.ts';
import { call } from '../state/api.ts';
import { selectorOf } from '../state/place.ts';
import { putSecret } from '../state/secrets.ts';
import { HiddenValue } from './hidden-value.ts';
import { TextField } from './text-field.tsx';
import { ValueField } from './value-field.tsx';
import { WriteDialog } from './write-dialog.tsx';

/** Stores a new version. It is refused when somebody was faster: the version on the screen is the one replaced. */
export function RotateSecret(props: { readonly secret: SecretMetadata; readonly onClose: () => void }) {
  const { secret, onClose } = props;
  const value = useRef(new HiddenValue()).current;
  const reason = useSignal('');
  const keep = useSignal('');
  const write = async (once: string) => {
    const rotated = await call<SecretMetadata>('POST', `/secrets/${secret.name}/rotate`, {
      query: selectorOf(secret),
      body: {
        new_value: value.reveal(),
        expected_version: secret.version,
        ...(reason.value === '' ? {} : { reason: reason.value }),
        ...(keep.value === '' ? {} : { keep_previous_for: keep.value }),
      },
      once,
    });
    value.set('');
    putSecret(rotated);
  };
  return (
    <WriteDialog
      title={`Rotate ${secret.name}`}
      action="Rotate"
      isReady={value.isEntered.value}
      onWrite={write}
      onClose={onClose}
    >
      <p>
        Every pipeline gets the new value at its next resolve. Version {secret.version} can be brought back.
      </p>
      <ValueField value={value} label="New value" />
      <TextField
        label="Reason"
        value={reason.value}
        help="Stands in the history. Every viewer can read it."
        onInput={(text) => (reason.value = text)}
      />
      <label class="field">
        Keep the version before at hand
        <select value={keep.value} onChange={(event) => (keep.value = event.currentTarget.value)}>
          <option value="">No</option>
          <option value="1h">For an hour</option>
          <option value="24h">For a day</option>
          <option value="7d">For a week</option>
        </select>
      </label>
    </WriteDialog>
  );
}
