import type { AuditEntry } from '../../shared/contract/audit.ts';
import { kindOf } from '../state/kinds.ts';
import { moment } from '../state/words.ts';
import { Heading } from './heading.tsx';
import { VirtualRows } from './virtual-rows.tsx';
import { isNarrow } from './width.ts';

/** Entry by entry, newest first. */
export function AuditTable(props: {
  readonly entries: readonly AuditEntry[];
  readonly onOpen: (entry: AuditEntry) => void;
}) {
  return (
    <VirtualRows
      label="Audit entries"
      className="entries"
      items={props.entries}
      keyOf={({ sequence, secret_name, environment, scope }) =>
        `${sequence} ${secret_name} ${scope} ${environment}`
      }
      rowHeight={isNarrow.value ? 4.6 : 2.3}
      columns={6}
      onOpen={props.onOpen}
      rowClass={kindOf}
      header={['When', 'What', 'Secret', 'Who', 'Pipeline and run', 'Why'].map((text) => (
        <Heading key={text} text={text} />
      ))}
      row={(entry, cell) => (
        <>
          <div {...cell(0)} class="cell when">
            {moment(entry.timestamp)}
          </div>
          <div {...cell(1)} class="cell what">
            <span>
              <i class="dot" />
              {entry.attempted ?? entry.action}
              {entry.outcome !== 'success' && <b> {entry.outcome}</b>}
            </span>
          </div>
          <div {...cell(2)} class="cell mono">
            <span>
              {entry.secret_name}
              {entry.version !== undefined && <small> v{entry.version}</small>}
              {entry.environment && <small> {entry.environment}</small>}
            </span>
          </div>
          <div {...cell(3)} class="cell who-cell">
            <span>{entry.user ?? entry.api_key_id}</span>
          </div>
          <div {...cell(4)} class="cell run-cell">
            <span>
              {entry.pipeline_id} <small>{entry.run_id}</small>
            </span>
          </div>
          <div {...cell(5)} class="cell why">
            <span>{entry.reason}</span>
          </div>
        </>
      )}
    />
  );
}
