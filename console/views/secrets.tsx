import { useSignal } from '@preact/signals';
import { Matrix } from '../parts/matrix.tsx';
import { Notice, Progress, Skeleton } from '../parts/notice.tsx';
import { SearchBar } from '../parts/search-bar.tsx';
import { SecretsProblem } from '../parts/secrets-problem.tsx';
import { answers, question, shownRows } from '../state/matrix.ts';
import { place } from '../state/place.ts';
import { reading, readSecrets, secrets, showDeleted, showsDeleted } from '../state/secrets.ts';
import { may } from '../state/session.ts';
import { count, relative } from '../state/words.ts';
import { CreateSecret } from '../writes/create-secret.tsx';
import { FirstSecret } from './first-secret.tsx';
import { SecretDetail } from './secret-detail.tsx';

/** Every secret, by name and environment; how one begins, when there is none. */
export function Secrets() {
  const isCreating = useSignal(false);
  const create = () => {
    isCreating.value = true;
  };
  const { state, at } = reading.value;
  const isEmpty = at !== null && state !== 'failed' && secrets.value.length === 0 && !showsDeleted.value;
  return (
    <>
      {isEmpty ? <FirstSecret onCreate={create} /> : <AllSecrets onCreate={create} />}
      {/* Whatever becomes of the list beneath, what is being written is not lost. */}
      {isCreating.value && (
        <CreateSecret
          onClose={() => {
            isCreating.value = false;
          }}
        />
      )}
    </>
  );
}

function AllSecrets(props: { readonly onCreate: () => void }) {
  const { state, at } = reading.value;
  return (
    <main id="main" class="view secrets">
      <div class="bar">
        <h1>{showsDeleted.value ? 'Deleted secrets' : 'Secrets'}</h1>
        <span class="soft" role="status">
          {state === 'under-way' && at === null
            ? `${count(secrets.value.length)} read…`
            : at !== null && `as of ${relative(at)}`}
        </span>
        <span class="grow" />
        <button
          type="button"
          aria-pressed={showsDeleted.value}
          onClick={() => showDeleted(!showsDeleted.value)}
        >
          Deleted
        </button>
        <button type="button" onClick={() => void readSecrets()}>
          Read again
        </button>
        {may('create') && !showsDeleted.value && (
          <button type="button" class="main" onClick={props.onCreate}>
            New secret
          </button>
        )}
      </div>
      <SearchBar />
      {state === 'under-way' && at === null && (
        <Progress label={`Reading secrets, ${count(secrets.value.length)} so far`} share={null} />
      )}
      <SecretsProblem />
      {shownRows.value.length > 0 ? <Matrix rows={shownRows.value} /> : <NothingFound />}
      {place.value.view === 'secrets' && place.value.thing !== null && (
        <SecretDetail key={`${place.value.thing} ${place.value.query}`} />
      )}
    </main>
  );
}

function NothingFound() {
  const { state } = reading.value;
  if (state === 'under-way' && secrets.value.length === 0) return <Skeleton />;
  if (state !== 'whole') return null;
  if (showsDeleted.value && secrets.value.length === 0)
    return (
      <Notice title="Nothing was deleted">
        <p>
          What is deleted stays here for as long as it can be restored: seven days, if nobody said otherwise.
        </p>
      </Notice>
    );
  const isAsking = question.value !== 'all' && answers.value.all > 0;
  return (
    <Notice title={isAsking ? 'None of them: that is good news' : 'No secret matches'}>
      <p>
        {isAsking
          ? 'No secret answers this question now.'
          : 'The search looks at names, owners, descriptions, labels and who made it.'}
      </p>
    </Notice>
  );
}
