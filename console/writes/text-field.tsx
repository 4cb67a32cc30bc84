import { useSignal } from '@preact/signals';
import { useId } from 'preact/hooks';
import { looksSecret } from './hidden-value.ts';

/** A field for what every viewer may read. A paste that looks like a credential is refused. */
export function TextField(props: {
  readonly label: string;
  readonly value: string;
  readonly onInput: (text: string) => void;
  readonly help?: string;
  readonly required?: boolean;
  readonly type?: 'text' | 'number' | 'date';
  readonly pattern?: string;
}) {
  const { label, value, onInput, help, required = false, type = 'text', pattern } = props;
  const id = useId();
  const isRefused = useSignal(false);
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        id={id}
        {...({ type } as { type: 'text' })}
        value={value}
        required={required}
        {...(pattern === undefined ? {} : { pattern })}
        autocomplete="off"
        spellcheck={false}
        aria-describedby={`${id}-help`}
        onInput={(event) => onInput(event.currentTarget.value)}
        onPaste={(event) => {
          isRefused.value = looksSecret(event.clipboardData?.getData('text/plain') ?? '');
          if (isRefused.value) event.preventDefault();
        }}
      />
      <p id={`${id}-help`} class="soft">
        {isRefused.value ? (
          <span class="problem" role="alert">
            That looks like a secret, and every viewer can read this field. It was not pasted.
          </span>
        ) : (
          help
        )}
      </p>
    </div>
  );
}
