import { useSignal } from '@preact/signals';
import type { SecretMetadata } from '../../shared/contract/secrets.ts';
import { call } from '../state/api.ts';
import { selectorOf } from '../state/place.ts';
import { dropSecret, putSecret } from '../state/secrets.ts';
import { TextField } from './text-field.tsx';
import { TypedName } from './typed-name.tsx';
import { WriteDialog } from './write-dialog.tsx';

interface Props {
  readonly secret: SecretMetadata;
  readonly onClose: () => void;
}

/** The secret leaves the list that it is shown in. */
interface Leaving extends Props {
  readonly onGone: () => void;
}

/** Stops a secret from resolving, at once. */
export function DeleteSecret({ secret, onGone, onClose }: Leaving) {
  const typed = useSignal('');
  const days = useSignal('7');
  const write = async (once: string) => {
    const query = { ...selectorOf(secret), recovery_days: days.value };
    await call('DELETE', `/secrets/${secret.name}`, { query, once });
    dropSecret(secret);
    onGone();
  };
  return (
    <WriteDialog
      title={`Delete ${secret.name}`}
      action={days.value === '0' ? 'Remove for good' : 'Delete'}
      isDangerous
      isReady={typed.value === secret.name}
      onWrite={write}
      onClose={onClose}
    >
      <p>It stops resolving at once: every run that names it fails from now on.</p>
      <label class="field">
        It can be restored
        <select value={days.value} onChange={(event) => (days.value = event.currentTarget.value)}>
          <option value="7">for 7 days</option>
          <option value="30">for 30 days</option>
          <option value="0">never: remove it at once and for good</option>
        </select>
      </label>
      <TypedName name={secret.name} value={typed.value} onInput={(text) => (typed.value = text)} />
    </WriteDialog>
  );
}

/** Brings a deleted secret back. */
export function RestoreSecret({ secret, onGone, onClose }: Leaving) {
  const typed = useSignal('');
  const write = async (once: string) => {
    await call('POST', `/secrets/${secret.name}/restore`, { query: selectorOf(secret), once });
    dropSecret(secret);
    onGone();
  };
  return (
    <WriteDialog
      title={`Restore ${secret.name}`}
      action="Restore"
      isReady={typed.value === secret.name}
      onWrite={write}
      onClose={onClose}
    >
      <p>It resolves again at once, with version {secret.version}.</p>
      <TypedName name={secret.name} value={typed.value} onInput={(text) => (typed.value = text)} />
    </WriteDialog>
  );
}

/** Makes a new version with the value of an old one. */
export function RollBackSecret({ secret, version, onClose }: Props & { readonly version: number }) {
  const typed = useSignal('');
  const reason = useSignal('');
  const write = async (once: string) => {
    const rolledBack = await call<SecretMetadata>('POST', `/secrets/${secret.name}/rollback`, {
      query: selectorOf(secret),
      body: {
        version,
        expected_version: secret.version,
        ...(reason.value === '' ? {} : { reason: reason.value }),
      },
      once,
    });
    putSecret(rolledBack);
  };
  return (
    <WriteDialog
      title={`Roll ${secret.name} back`}
      action={`Bring version ${version} back`}
      isDangerous
      isReady={typed.value === secret.name}
      onWrite={write}
      onClose={onClose}
    >
      <p>
        A new version {secret.version + 1} gets the value of version {version}. Every pipeline gets it at its
        next resolve.
      </p>
      <TextField
        label="Reason"
        value={reason.value}
        help="Stands in the history. Every viewer can read it."
        onInput={(text) => (reason.value = text)}
      />
      <TypedName name={secret.name} value={typed.value} onInput={(text) => (typed.value = text)} />
    </WriteDialog>
  );
}
