import { useId } from 'preact/hooks';

/** Asks for a name to be typed, so that a hand that is too fast stops here. */
export function TypedName(props: {
  readonly name: string;
  readonly value: string;
  readonly onInput: (text: string) => void;
}) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>
        Type <code>{props.name}</code> to confirm
      </label>
      <input
        id={id}
        type="text"
        value={props.value}
        autocomplete="off"
        autocapitalize="off"
        spellcheck={false}
        onInput={(event) => props.onInput(event.currentTarget.value)}
      />
    </div>
  );
}
