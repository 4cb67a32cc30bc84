import { useSignal } from '@preact/signals';
import { useRef } from 'preact/hooks';
import { endWhenRefused, farewell, signIn } from '../state/session.ts';

/** Asks for an API key. The page has nothing to show without one. */
export function SignIn() {
  const field = useRef<HTMLInputElement>(null);
  const keep = useSignal(false);
  const problem = useSignal<string | null>(null);
  const isAsking = useSignal(false);
  const submit = async (event: Event) => {
    event.preventDefault();
    const key = field.current?.value.trim() ?? '';
    if (!/^fmk_\w+/.test(key)) {
      problem.value = 'An API key begins with fmk_. Paste it whole.';
      field.current?.focus();
      return;
    }
    isAsking.value = true;
    try {
      await signIn(key, keep.value);
    } catch (error) {
      problem.value = endWhenRefused(error);
    } finally {
      isAsking.value = false;
      if (field.current !== null) field.current.value = '';
    }
  };
  return (
    <main id="main" class="sign-in">
      <form onSubmit={submit} autocomplete="off">
        <img src="/icon.svg" alt="" width="56" height="56" />
        <h1>FlowMason Secrets</h1>
        <p class="soft">
          What there is, how old, who used it. Never a value: there is no way to ask for one.
        </p>
        {farewell.value !== null && <p role="status">{farewell.value}</p>}
        <label for="api-key">API key</label>
        <input
          ref={field}
          id="api-key"
          type="password"
          autocomplete="off"
          spellcheck={false}
          aria-describedby="api-key-help"
          aria-invalid={problem.value !== null}
        />
        <p id="api-key-help" class="soft">
          A key of role <b>viewer</b> sees all of this page; <b>editor</b> changes secrets; <b>admin</b> makes
          keys. The first admin key is in <code>.flowmason/admin.json</code>.
        </p>
        {problem.value !== null && (
          <p class="problem" role="alert">
            {problem.value}
          </p>
        )}
        <label class="check">
          <input
            type="checkbox"
            checked={keep.value}
            onChange={(event) => {
              keep.value = event.currentTarget.checked;
            }}
          />
          Keep it until this tab is closed, so that a reload does not ask again
        </label>
        <button type="submit" class="main" disabled={isAsking.value}>
          {isAsking.value ? 'Asking…' : 'Open'}
        </button>
      </form>
    </main>
  );
}
