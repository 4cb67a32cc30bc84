import { unreachableSince } from '../state/api.ts';
import { reading, readSecrets } from '../state/secrets.ts';
import { Notice } from './notice.tsx';

/** Why not every secret was read. A server that does not answer is told of above the view. */
export function SecretsProblem() {
  const { problem } = reading.value;
  if (problem === null || unreachableSince.value !== null) return null;
  return (
    <Notice kind="failed" title="The secrets could not be read to the end">
      <p>{problem}</p>
      <button type="button" onClick={() => void readSecrets()}>
        Try again
      </button>
    </Notice>
  );
}
