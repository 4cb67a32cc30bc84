import type { AuditReader } from '../state/audit.ts';
import { count, moment } from '../state/words.ts';
import { Progress } from './notice.tsx';

/** How far the log has been read, and the way to stop or to read on. */
export function ReadingOn(props: { readonly reader: AuditReader; readonly what: string }) {
  const { reader, what } = props;
  const { length } = reader.entries.value;
  const oldest = reader.entries.value.at(-1)?.timestamp;
  const so = oldest === undefined ? '' : `, back to ${moment(oldest)}`;
  if (reader.state.value === 'under-way')
    return (
      <span class="reading">
        <Progress label={`Reading: ${count(length)} ${what}${so}`} share={null} />
        <button type="button" onClick={() => reader.pause()}>
          Stop
        </button>
      </span>
    );
  return (
    <span class="reading soft" role="status">
      {count(length)} {what}
      {reader.state.value === 'paused' && (
        <>
          {so}.
          <button type="button" onClick={() => void reader.readOn()}>
            Read older ones
          </button>
        </>
      )}
    </span>
  );
}
