import { unreachableSince } from '../state/api.ts';
import type { AuditReader } from '../state/audit.ts';
import { Notice } from './notice.tsx';

/** Why the log was not read to the end. A server that does not answer is told of above the view. */
export function LogProblem(props: { readonly reader: AuditReader }) {
  const { reader } = props;
  if (reader.problem.value === null || unreachableSince.value !== null) return null;
  return (
    <Notice kind="failed" title="The log could not be read to the end">
      <p>{reader.problem.value}</p>
      <button type="button" onClick={() => void reader.again()}>
        Try again
      </button>
    </Notice>
  );
}
