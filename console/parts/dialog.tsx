import type { ComponentChildren } from 'preact';
import { useId, useLayoutEffect, useRef } from 'preact/hooks';

/** A modal dialog: keeps the focus, closes with Escape, and gives the focus back. */
export function Dialog(props: {
  readonly title: ComponentChildren;
  readonly kind: 'drawer' | 'box';
  readonly onClose: () => void;
  readonly children: ComponentChildren;
}) {
  const { title, kind, onClose, children } = props;
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  // Before the browser draws: what is in it can have the focus as soon as it is there.
  useLayoutEffect(() => {
    const element = dialog.current;
    const before = document.activeElement;
    element?.showModal();
    return () => {
      element?.close();
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  return (
    <dialog
      ref={dialog}
      class={kind}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
    >
      <header>
        <h2 id={id}>{title}</h2>
        <button type="button" class="quiet close" aria-label="Close" onClick={onClose}>
          ✕
        </button>
      </header>
      <div class="content">{children}</div>
    </dialog>
  );
}
