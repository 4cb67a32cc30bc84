import { useSignal } from '@preact/signals';

/** A command to run in a terminal, with a button that copies it. */
export function Command(props: { readonly text: string; readonly label?: string }) {
  const copied = useSignal(false);
  const copy = async () => {
    await navigator.clipboard.writeText(props.text);
    copied.value = true;
    setTimeout(() => {
      copied.value = false;
    }, 2000);
  };
  return (
    <span class="command">
      <code>{props.text}</code>
      <button type="button" class="quiet" aria-label={props.label ?? `Copy: ${props.text}`} onClick={copy}>
        {copied.value ? 'Copied' : 'Copy'}
      </button>
    </span>
  );
}
