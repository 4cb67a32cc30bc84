import type { ComponentChildren } from 'preact';

/** What stands where a view would be: nothing there yet, nothing found, or what went wrong and what to do. */
export function Notice(props: {
  readonly title: string;
  readonly kind?: 'empty' | 'failed';
  readonly children?: ComponentChildren;
}) {
  return (
    <section class={`notice ${props.kind ?? 'empty'}`} role={props.kind === 'failed' ? 'alert' : undefined}>
      <h2>{props.title}</h2>
      {props.children}
    </section>
  );
}

/** Long work, as far as it is: a share of 1, or null where the end is not known. */
export function Progress(props: { readonly label: string; readonly share: number | null }) {
  return (
    <div class="progress" role="status">
      <progress {...(props.share === null ? {} : { value: props.share })} max={1} aria-label={props.label} />
      <span>{props.label}</span>
    </div>
  );
}

/** The place of rows that are being read. */
export function Skeleton() {
  return <div class="skeleton" aria-hidden="true" />;
}
