import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { AuditProof, AuditVerification } from '../../shared/contract/audit.ts';
import { call, Problem } from '../state/api.ts';
import { endWhenRefused } from '../state/session.ts';
import { count, relative } from '../state/words.ts';
import { Progress } from './notice.tsx';

interface Verified extends AuditVerification {
  readonly at: number;
}

/** What was found lasts as long as the tab. */
const found = { last: null as Verified | null };

/** Up to which record the log is under a signed checkpoint, and whether it was found whole. */
export function ChainState() {
  const covered = useSignal<number | null>(null);
  const verified = useSignal<Verified | null>(found.last);
  const share = useSignal<number | null>(null);
  const isUnderWay = useSignal(false);
  const problem = useSignal<string | null>(null);
  useEffect(() => {
    newestCheckpoint().then(
      (size) => (covered.value = size),
      (error: unknown) => (problem.value = endWhenRefused(error)),
    );
  }, []);
  const verify = async () => {
    isUnderWay.value = true;
    problem.value = null;
    try {
      const result = await verifyAll((checked) => {
        share.value = covered.value ? Math.min(1, checked / covered.value) : null;
      });
      found.last = { ...result, at: Date.now() };
      verified.value = found.last;
      covered.value = await newestCheckpoint();
    } catch (error) {
      problem.value = endWhenRefused(error);
    } finally {
      isUnderWay.value = false;
    }
  };
  if (isUnderWay.value) return <Progress label="Checking every record" share={share.value} />;
  return (
    <span class="chain">
      <span role="status">
        <State verified={verified.value} covered={covered.value} />
        {problem.value !== null && <span class="problem"> {problem.value}</span>}
      </span>
      <button type="button" onClick={() => void verify()}>
        Verify
      </button>
    </span>
  );
}

function State(props: { readonly verified: Verified | null; readonly covered: number | null }) {
  const { verified, covered } = props;
  const checkpoint =
    covered === null ? '' : covered === 0 ? 'no checkpoint yet' : `checkpoint at ${count(covered)}`;
  if (verified === null)
    return <span class="soft">Chain: {checkpoint || '…'}, not verified in this tab</span>;
  const { first_bad, events, checkpoints, stale = [], at } = verified;
  if (first_bad !== undefined)
    return (
      <b class="problem">
        Record {count(first_bad.sequence)} is not what it was: {first_bad.reason}
      </b>
    );
  if (stale.length > 0)
    return (
      <b class="problem">
        {count(stale.length, 'row')} put back as they were; record {count(stale[0]?.sequence ?? 0)}:{' '}
        {stale[0]?.reason}
      </b>
    );
  return (
    <span class="whole">
      ✓ {count(events, 'record')} whole, {count(checkpoints, 'checkpoint')} agree
      <small> {relative(at)}</small>
    </span>
  );
}

/** Call after call, until there is no more to check. */
async function verifyAll(onProgress: (checked: number) => void): Promise<AuditVerification> {
  let from: number | undefined;
  let events = 0;
  let checkpoints = 0;
  for (;;) {
    const part = await call<AuditVerification>('GET', '/secrets/audit/verify', { query: { from } });
    events = Math.max(events, part.events);
    checkpoints += part.checkpoints;
    if (part.continue_from === undefined || !part.verified) return { ...part, events, checkpoints };
    from = part.continue_from;
    onProgress(from);
  }
}

/** How many records the newest checkpoint covers: the second line of its signed note. */
async function newestCheckpoint(): Promise<number> {
  try {
    const { checkpoint } = await call<AuditProof>('GET', '/secrets/audit/proof', { query: { sequence: 1 } });
    return Number(checkpoint.split('\n')[1] ?? 0);
  } catch (error) {
    if (error instanceof Problem && [404, 422].includes(error.status)) return 0;
    throw error;
  }
}
