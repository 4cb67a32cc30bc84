import { useSignal } from '@preact/signals';
import { useRef } from 'preact/hooks';
import type { SecretMetadata } from '../../shared/contract/secrets.ts';
import { call } from '../state/api.ts';
import { go, secretAddress } from '../state/place.ts';
import { putSecret } from '../state/secrets.ts';
import { caller } from '../state/session.ts';
import { HiddenValue } from './hidden-value.ts';
import { TextField } from './text-field.tsx';
import { ValueField } from './value-field.tsx';
import { WriteDialog } from './write-dialog.tsx';

/** Stores a secret's first version. The value goes from the keyboard to the server, and is nowhere shown. */
export function CreateSecret(props: { readonly onClose: () => void }) {
  const value = useRef(new HiddenValue()).current;
  const name = useSignal('');
  const scope = useSignal<SecretMetadata['scope']>('org');
  const owner = useSignal('');
  const environment = useSignal('');
  const description = useSignal('');
  const rotationDays = useSignal('');
  const write = async (once: string) => {
    const body = {
      name: name.value,
      value: value.reveal(),
      scope: scope.value,
      ...(scope.value === 'pipeline' ? { pipeline_id: owner.value } : {}),
      ...(scope.value === 'user' ? { user: owner.value } : {}),
      environment: environment.value || 'none',
      ...(description.value === '' ? {} : { description: description.value }),
      ...(rotationDays.value === '' ? {} : { rotation_days: Number(rotationDays.value) }),
    };
    const made = await call<SecretMetadata>('POST', '/secrets', { body, once });
    value.set('');
    putSecret(made);
    go(secretAddress(made));
  };
  return (
    <WriteDialog
      title="New secret"
      action="Store it"
      isReady={name.value !== '' && value.isEntered.value && (scope.value === 'org' || owner.value !== '')}
      onWrite={write}
      onClose={props.onClose}
    >
      <TextField
        label="Name"
        value={name.value}
        required
        pattern="[A-Za-z][A-Za-z0-9_\-]{0,127}"
        help="A letter, then letters, digits, _ or -. Configs say {{secrets.name}}."
        onInput={(text) => (name.value = text)}
      />
      <ValueField value={value} label="Value" />
      <div class="pair">
        <label class="field">
          Scope
          <select
            value={scope.value}
            onChange={(event) => (scope.value = event.currentTarget.value as SecretMetadata['scope'])}
          >
            <option value="org">The organization</option>
            <option value="pipeline">One pipeline</option>
            <option value="user">One user</option>
          </select>
        </label>
        <label class="field">
          Environment
          <select
            value={environment.value}
            onChange={(event) => (environment.value = event.currentTarget.value)}
          >
            <option value="">Every environment</option>
            {caller.value?.known_environments.map((known) => (
              <option key={known}>{known}</option>
            ))}
          </select>
        </label>
      </div>
      {scope.value !== 'org' && (
        <TextField
          label={scope.value === 'pipeline' ? 'Pipeline' : 'User'}
          value={owner.value}
          required
          help="Only its runs get this secret."
          onInput={(text) => (owner.value = text)}
        />
      )}
      <TextField
        label="Description"
        value={description.value}
        help="What it is for. Every viewer can read it."
        onInput={(text) => (description.value = text)}
      />
      <TextField
        label="Rotate every … days"
        type="number"
        value={rotationDays.value}
        help="Reminds its owner. Empty for no reminder."
        onInput={(text) => (rotationDays.value = text)}
      />
    </WriteDialog>
  );
}
