import { useSignal } from '@preact/signals';
import { useEffect, useId } from 'preact/hooks';
import { type HiddenValue, type Slip, slipOf } from './hidden-value.ts';

/**
 * A field that never echoes: what is typed or pasted goes to the {@link HiddenValue} and the field stays empty,
 * without even a dot for a character. Line breaks are kept, since keys in PEM have them.
 */
export function ValueField(props: { readonly value: HiddenValue; readonly label: string }) {
  const { value, label } = props;
  const id = useId();
  const isEntered = value.isEntered.value;
  const slip = useSignal<Slip | null>(null);
  useEffect(() => {
    const forget = () => value.set('');
    addEventListener('pagehide', forget);
    return () => {
      forget();
      removeEventListener('pagehide', forget);
    };
  }, [value]);

  const take = (text: string) => {
    value.set(text);
    slip.value = slipOf(text);
  };
  const onBeforeInput = (event: InputEvent) => {
    // Text that is being composed cannot be stopped; it is taken over when it is whole.
    if (event.isComposing) return;
    event.preventDefault();
    if (event.inputType === 'insertText') value.add(event.data ?? '');
    else if (event.inputType === 'insertLineBreak') value.add('\n');
    else if (event.inputType === 'deleteContentBackward') value.removeLast();
    else if (event.inputType.startsWith('delete')) value.set('');
    slip.value = null;
  };
  return (
    <div class="value-field">
      <label for={id}>{label}</label>
      <textarea
        id={id}
        rows={2}
        autocomplete="off"
        autocapitalize="off"
        spellcheck={false}
        aria-describedby={`${id}-state`}
        placeholder={isEntered ? 'Entered, and not shown.' : 'Type or paste. Nothing is shown.'}
        onPaste={(event) => {
          event.preventDefault();
          take(event.clipboardData?.getData('text/plain') ?? '');
        }}
        onDrop={(event) => event.preventDefault()}
        onBeforeInput={onBeforeInput}
        onCompositionEnd={(event) => {
          value.add(event.currentTarget.value);
          event.currentTarget.value = '';
        }}
      />
      <p id={`${id}-state`} class={isEntered ? 'entered' : 'soft'} role="status">
        {isEntered ? 'A value is entered.' : 'No value yet.'}{' '}
        {isEntered && (
          <button type="button" class="quiet" onClick={() => take('')}>
            Clear it
          </button>
        )}
      </p>
      {slip.value !== null && <Guard slip={slip.value} onMend={take} onKeep={() => (slip.value = null)} />}
    </div>
  );
}

function Guard(props: {
  readonly slip: Slip;
  readonly onMend: (text: string) => void;
  readonly onKeep: () => void;
}) {
  const { slip, onMend, onKeep } = props;
  const { mended } = slip;
  return (
    <p class="guard" role="alert">
      {slip.what}{' '}
      {mended !== null && (
        <button type="button" onClick={() => onMend(mended)}>
          Take it off
        </button>
      )}
      <button type="button" onClick={onKeep}>
        It is meant so
      </button>
    </p>
  );
}
