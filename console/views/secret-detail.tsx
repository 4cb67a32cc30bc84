import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { Dialog } from '../parts/dialog.tsx';
import { Facts } from '../parts/facts.tsx';
import { History } from '../parts/history.tsx';
import { Notice, Progress } from '../parts/notice.tsx';
import { ReminderOf } from '../parts/reminder.tsx';
import { ScopeTag } from '../parts/scope-tag.tsx';
import { Uses } from '../parts/uses.tsx';
import { addressOf, go, place, selectorOf } from '../state/place.ts';
import { type Detail, readDetail } from '../state/secret.ts';
import { secrets } from '../state/secrets.ts';
import { endWhenRefused, may, returns } from '../state/session.ts';
import { DeleteSecret, RestoreSecret, RollBackSecret } from '../writes/named-writes.tsx';
import { RotateSecret } from '../writes/rotate-secret.tsx';

type Write = 'rotate' | 'delete' | 'restore' | { readonly version: number };

/** What is known of one secret: never its value. */
export function SecretDetail() {
  const { thing, query } = place.value;
  const name = thing ?? '';
  const selector = Object.fromEntries(query);
  const detail = useSignal<Detail | null>(null);
  const problem = useSignal<string | null>(null);
  const write = useSignal<Write | null>(null);
  const known = secrets.value.find(
    (secret) => secret.name === name && sameSelector(selectorOf(secret), selector),
  );
  const attempt = useSignal(1);
  useEffect(() => {
    // What is read next is newer: an answer that comes late must not take its place.
    const stop = new AbortController();
    problem.value = null;
    readDetail(name, selector, known, stop.signal).then(
      (read) => {
        if (!stop.signal.aborted) detail.value = read;
      },
      (error: unknown) => {
        if (!stop.signal.aborted) problem.value = endWhenRefused(error);
      },
    );
    return () => stop.abort();
    // Every write shows as another version in the list, and is read anew.
  }, [known?.version, known?.reminder?.quiet?.until, attempt.value, returns.value]);
  const close = () => go(addressOf('secrets'));
  const secret = known ?? detail.value?.secret;
  return (
    <Dialog kind="drawer" title={<span class="mono">{name}</span>} onClose={close}>
      {secret !== undefined && (
        <>
          <p class="where">
            <ScopeTag scope={secret.scope} owner={secret.pipeline_id ?? secret.user ?? ''} />
            <span class="tag">{secret.environment ?? 'every environment'}</span>
            <span class="tag">version {secret.version}</span>
          </p>
          {secret.description !== null && <p>{secret.description}</p>}
          <Writes isDeleted={secret.deleted_at !== null} onWrite={(kind) => (write.value = kind)} />
          <Facts secret={secret} />
          <ReminderOf secret={secret} />
        </>
      )}
      {problem.value !== null && (
        <Notice kind="failed" title="It could not be read">
          <p>{problem.value}</p>
          <button type="button" onClick={() => attempt.value++}>
            Try again
          </button>
        </Notice>
      )}
      {detail.value === null ? (
        problem.value === null && <Progress label="Reading its history" share={null} />
      ) : (
        <>
          <History
            entries={detail.value.history}
            onRollBack={may('rollback') ? (version) => (write.value = { version }) : null}
          />
          <Uses uses={detail.value.uses} />
        </>
      )}
      {secret !== undefined && write.value !== null && (
        <Writing write={write.value} secret={secret} onClose={() => (write.value = null)} onGone={close} />
      )}
    </Dialog>
  );
}

function Writes(props: { readonly isDeleted: boolean; readonly onWrite: (write: Write) => void }) {
  const { isDeleted, onWrite } = props;
  if (isDeleted)
    return (
      <p class="actions start">
        {may('restore') && (
          <button type="button" class="main" onClick={() => onWrite('restore')}>
            Restore…
          </button>
        )}
      </p>
    );
  return (
    <p class="actions start">
      {may('rotate') && (
        <button type="button" class="main" onClick={() => onWrite('rotate')}>
          Rotate…
        </button>
      )}
      {may('delete') && (
        <button type="button" class="danger" onClick={() => onWrite('delete')}>
          Delete…
        </button>
      )}
    </p>
  );
}

function Writing(props: {
  readonly write: Write;
  readonly secret: Detail['secret'];
  readonly onClose: () => void;
  readonly onGone: () => void;
}) {
  const { write, secret, onClose, onGone } = props;
  if (write === 'rotate') return <RotateSecret secret={secret} onClose={onClose} />;
  if (write === 'delete') return <DeleteSecret secret={secret} onGone={onGone} onClose={onClose} />;
  if (write === 'restore') return <RestoreSecret secret={secret} onGone={onGone} onClose={onClose} />;
  return <RollBackSecret secret={secret} version={write.version} onClose={onClose} />;
}

function sameSelector(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  return Object.entries(a).every(([name, value]) => b[name] === value);
}
