import type { AuditEntry } from '../../shared/contract/audit.ts';
import { addressOf } from '../state/place.ts';
import { Dialog } from './dialog.tsx';

const narrowing = ['secret_name', 'pipeline_id', 'run_id', 'user', 'action'] as const;

/** All that an entry says, each part a way to the others like it. */
export function EntryDetail(props: { readonly entry: AuditEntry; readonly onClose: () => void }) {
  const { entry, onClose } = props;
  return (
    <Dialog kind="drawer" title={`Record ${entry.sequence}`} onClose={onClose}>
      <dl class="facts">
        {Object.entries(entry).map(([name, value]) => {
          const filter = narrowing.find((known) => known === name);
          return (
            <div key={name}>
              <dt>{name.replaceAll('_', ' ')}</dt>
              <dd>
                {filter === undefined ? (
                  <b>{String(value ?? 'every')}</b>
                ) : (
                  <a href={addressOf('audit', { [filter]: String(value) })} onClick={onClose}>
                    {String(value)}
                  </a>
                )}
              </dd>
            </div>
          );
        })}
      </dl>
    </Dialog>
  );
}
