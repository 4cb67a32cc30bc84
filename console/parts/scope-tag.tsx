/** Whom a secret serves: the organization, one pipeline, or one user. */
export function ScopeTag(props: { readonly scope: 'org' | 'pipeline' | 'user'; readonly owner: string }) {
  const { scope, owner } = props;
  return (
    <span class={`scope ${scope}`}>
      <i>{scope}</i>
      {owner}
    </span>
  );
}
