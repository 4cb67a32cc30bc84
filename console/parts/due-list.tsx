import type { SecretMetadata } from '../../shared/contract/secrets.ts';
import { dueWords, urgencyOf } from '../state/due.ts';
import { go, secretAddress } from '../state/place.ts';
import { flagsOf } from '../state/secret.ts';
import { identity, ownerOf } from '../state/secrets.ts';
import { day } from '../state/words.ts';
import { Command } from './command.tsx';
import { Heading } from './heading.tsx';
import { Answers } from './reminder.tsx';
import { ScopeTag } from './scope-tag.tsx';
import { VirtualRows } from './virtual-rows.tsx';
import { isNarrow } from './width.ts';

/** Secret by secret: when, whose, the command that rotates it, and the answers to its reminder. */
export function DueList(props: { readonly secrets: readonly SecretMetadata[] }) {
  return (
    <VirtualRows
      label="Secrets by date"
      className="due-list"
      items={props.secrets}
      keyOf={identity}
      rowHeight={isNarrow.value ? 10.8 : 3.4}
      columns={4}
      onOpen={(secret) => go(secretAddress(secret))}
      rowClass={urgencyOf}
      header={['Due', 'Secret', 'Command', 'Answer'].map((text) => <Heading key={text} text={text} />)}
      row={(secret, cell) => (
        <>
          <div {...cell(0)} class="cell">
            <b class="due">{dueWords(secret)}</b>
            <small>{secret.next_rotation_at !== null && day(secret.next_rotation_at)}</small>
          </div>
          <div {...cell(1)} class="cell">
            <b class="mono">{secret.name}</b>
            <span>
              <ScopeTag scope={secret.scope} owner={ownerOf(secret)} />{' '}
              <span class="tag">{secret.environment ?? 'every'}</span> <small>{secret.reminder?.owner}</small>
            </span>
          </div>
          <div {...cell(2)} class="cell">
            <Command text={`npx fm secrets rotate ${secret.name}${flagsOf(secret)}`} />
          </div>
          <div {...cell(3)} class="cell">
            <Answers secret={secret} />
          </div>
        </>
      )}
    />
  );
}
