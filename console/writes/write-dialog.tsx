import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useRef } from 'preact/hooks';
import { Dialog } from '../parts/dialog.tsx';
import { Problem } from '../state/api.ts';
import { endWhenRefused } from '../state/session.ts';

/** A dialog around one write. Sent twice after a lost answer it is done once. */
export function WriteDialog(props: {
  readonly title: string;
  readonly action: string;
  readonly isDangerous?: boolean;
  readonly isReady: boolean;
  /** @param once the `Idempotency-Key` of this write */
  readonly onWrite: (once: string) => Promise<void>;
  readonly onClose: () => void;
  readonly children: ComponentChildren;
}) {
  const { title, action, isDangerous = false, isReady, onWrite, onClose, children } = props;
  const isUnderWay = useSignal(false);
  const problem = useSignal<string | null>(null);
  const once = useRef(crypto.randomUUID());
  const submit = async (event: Event) => {
    event.preventDefault();
    isUnderWay.value = true;
    problem.value = null;
    try {
      await onWrite(once.current);
      onClose();
    } catch (error) {
      problem.value = sentenceOf(error);
      // It was answered: what is sent next is another request. Without an answer it may have been carried out.
      if (!(error instanceof Problem && error.status === 0)) once.current = crypto.randomUUID();
    } finally {
      isUnderWay.value = false;
    }
  };
  return (
    <Dialog kind="box" title={title} onClose={onClose}>
      <form onSubmit={submit} autocomplete="off">
        {children}
        {problem.value !== null && (
          <p class="problem" role="alert">
            {problem.value}
          </p>
        )}
        <p class="actions">
          <button type="button" onClick={onClose}>
            Cancel
          </button>
          <button
            type="submit"
            class={isDangerous ? 'danger' : 'main'}
            disabled={!isReady || isUnderWay.value}
          >
            {isUnderWay.value ? 'Under way…' : action}
          </button>
        </p>
      </form>
    </Dialog>
  );
}

function sentenceOf(error: unknown): string {
  const sentence = endWhenRefused(error);
  if (!(error instanceof Problem) || error.fields.length === 0) return sentence;
  return error.fields.map(({ path, message }) => `${path}: ${message}`).join('. ');
}
