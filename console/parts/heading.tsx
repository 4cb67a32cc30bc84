/** The head of a grid's column. */
export function Heading(props: { readonly text: string }) {
  return (
    // biome-ignore lint/a11y/useFocusableInteractive: the grid has the focus
    // biome-ignore lint/a11y/useSemanticElements: part of a grid that is no table
    <div role="columnheader" class="cell">
      {props.text}
    </div>
  );
}
