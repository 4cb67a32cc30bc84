import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { RoleName } from '../../shared/contract/access.ts';
import { Command } from '../parts/command.tsx';
import { Dialog } from '../parts/dialog.tsx';
import { call } from '../state/api.ts';
import { readApiKeys } from '../state/keys.ts';
import { DAY } from '../state/words.ts';
import { TextField } from './text-field.tsx';
import { WriteDialog } from './write-dialog.tsx';

const roles: Readonly<Record<RoleName, string>> = {
  runtime: 'runtime: resolves, for what runs pipelines',
  viewer: 'viewer: reads metadata, history and audit',
  editor: 'editor: changes secrets as well',
  admin: 'admin: all but resolve',
};

/** Makes an API key and shows it once. */
export function CreateApiKey(props: { readonly onClose: () => void }) {
  const name = useSignal('');
  const role = useSignal<RoleName>('runtime');
  const pipelines = useSignal('');
  const environments = useSignal('');
  const days = useSignal('90');
  const made = useSignal<string | null>(null);
  useEffect(
    () => () => {
      made.value = null;
    },
    [made],
  );
  const write = async (once: string) => {
    const bounds = { pipelines: listOf(pipelines.value), environments: listOf(environments.value) };
    const body = {
      name: name.value,
      role: role.value,
      ...(bounds.pipelines.length > 0 ? { pipelines: bounds.pipelines } : {}),
      ...(bounds.environments.length > 0 ? { environments: bounds.environments } : {}),
      ...(days.value === ''
        ? {}
        : { expires_at: new Date(Date.now() + Number(days.value) * DAY).toISOString() }),
    };
    const { api_key } = await call<{ api_key: string }>('POST', '/api-keys', { body, once });
    made.value = api_key;
    void readApiKeys();
  };
  if (made.value !== null)
    return (
      <Dialog kind="box" title={`The key ${name.value}`} onClose={props.onClose}>
        <p>
          <b>This is the only time that it is shown.</b> Put it where it is used, then close this.
        </p>
        <Command text={made.value} label="Copy the key" />
        <p class="actions">
          <button type="button" class="main" onClick={props.onClose}>
            I have it
          </button>
        </p>
      </Dialog>
    );
  return (
    <WriteDialog
      title="New API key"
      action="Make it"
      isReady={name.value !== ''}
      onWrite={write}
      onClose={() => {
        if (made.value === null) props.onClose();
      }}
    >
      <TextField label="Name" value={name.value} required onInput={(text) => (name.value = text)} />
      <label class="field">
        Role
        <select value={role.value} onChange={(event) => (role.value = event.currentTarget.value as RoleName)}>
          {Object.entries(roles).map(([known, label]) => (
            <option key={known} value={known}>
              {label}
            </option>
          ))}
        </select>
      </label>
      <TextField
        label="Only these pipelines"
        value={pipelines.value}
        help="Separated by commas; empty for every one."
        onInput={(text) => (pipelines.value = text)}
      />
      <TextField
        label="Only these environments"
        value={environments.value}
        help="Separated by commas; empty for every one."
        onInput={(text) => (environments.value = text)}
      />
      <TextField
        label="Ends after … days"
        type="number"
        value={days.value}
        help="Empty for no end."
        onInput={(text) => (days.value = text)}
      />
    </WriteDialog>
  );
}

function listOf(text: string): readonly string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter(Boolean);
}
