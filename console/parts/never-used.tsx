import { useComputed } from '@preact/signals';
import { go, secretAddress } from '../state/place.ts';
import { identity, ownerOf, reading, secrets } from '../state/secrets.ts';
import { count, now, span } from '../state/words.ts';
import { Heading } from './heading.tsx';
import { ScopeTag } from './scope-tag.tsx';
import { VirtualRows } from './virtual-rows.tsx';

/** Secrets that no run ever resolved, oldest first: what may be deleted. */
export function NeverUsed() {
  const unused = useComputed(() =>
    secrets.value
      .filter(({ last_accessed_at }) => last_accessed_at === null)
      .toSorted((a, b) => (a.created_at < b.created_at ? -1 : 1)),
  );
  return (
    <section class="sheet">
      <h2>
        Never used <span class="soft">{count(unused.value.length)}</span>
      </h2>
      {unused.value.length === 0 ? (
        <p class="soft">
          {reading.value.state === 'whole' ? 'Every secret has been used.' : 'Reading secrets…'}
        </p>
      ) : (
        <VirtualRows
          label="Secrets that were never used"
          className="unused"
          items={unused.value}
          keyOf={identity}
          rowHeight={2.6}
          columns={3}
          onOpen={(secret) => go(secretAddress(secret))}
          header={['Secret', 'Where', 'Age'].map((text) => <Heading key={text} text={text} />)}
          row={(secret, cell) => (
            <>
              <div {...cell(0)} class="cell mono">
                <span>{secret.name}</span>
              </div>
              <div {...cell(1)} class="cell">
                <span>
                  <ScopeTag scope={secret.scope} owner={ownerOf(secret)} />{' '}
                  <span class="tag">{secret.environment ?? 'every'}</span>
                </span>
              </div>
              <div {...cell(2)} class="cell">
                {span(now.value - Date.parse(secret.created_at))}
              </div>
            </>
          )}
        />
      )}
    </section>
  );
}
