import { Command } from '../parts/command.tsx';
import { readSecrets } from '../state/secrets.ts';
import { may } from '../state/session.ts';

/** The first open of all: nothing is here yet, and these two commands change that. */
export function FirstSecret(props: { readonly onCreate: () => void }) {
  return (
    <main id="main" class="view first-open">
      <div class="welcome">
        <img src="/icon.svg" alt="" width="56" height="56" />
        <h1>No secret yet</h1>
        <p>Two commands make one. The value is asked for and not shown; it never passes through this page.</p>
        <ol>
          <li>
            <h2>Store it</h2>
            <Command text="npx fm secrets set openai_api_key" />
          </li>
          <li>
            <h2>Make a key that may resolve it for your pipelines</h2>
            <Command text="npx fm keys create orchestrator --role runtime" />
          </li>
        </ol>
        <p>
          Then a config that says <code>{'{{secrets.openai_api_key}}'}</code> gets the value as it runs, and
          this page shows who used it, how old it is, and when it is due.
        </p>
        <p class="actions">
          <button type="button" class="main" onClick={() => void readSecrets()}>
            I have run them: look again
          </button>
          {may('create') && (
            <button type="button" onClick={props.onCreate}>
              Or store one here
            </button>
          )}
        </p>
      </div>
    </main>
  );
}
