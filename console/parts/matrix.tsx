import type { SecretMetadata } from '../../shared/contract/secrets.ts';
import { dueWords, urgencyOf } from '../state/due.ts';
import { columns, type MatrixRow } from '../state/matrix.ts';
import { go, secretAddress } from '../state/place.ts';
import { bornAt } from '../state/secrets.ts';
import { day, now, relative, span } from '../state/words.ts';
import { Heading } from './heading.tsx';
import { ScopeTag } from './scope-tag.tsx';
import { type CellProps, VirtualRows } from './virtual-rows.tsx';
import { isNarrow } from './width.ts';

/** Names by environments; a gap is where a run finds nothing though a neighbouring environment has it. */
export function Matrix(props: { readonly rows: readonly MatrixRow[] }) {
  const environments = columns.value;
  const open = (row: MatrixRow, column: number) => {
    const wanted = environments[column - 1];
    const secret = row.cells.get(wanted ?? '') ?? [...row.cells.values()][0];
    if (secret !== undefined) go(secretAddress(secret));
  };
  return (
    <VirtualRows
      label="Secrets by name and environment"
      className="matrix"
      style={{ '--environments': environments.length }}
      items={props.rows}
      keyOf={({ key }) => key}
      rowHeight={isNarrow.value ? 5.4 : 3.4}
      columns={environments.length + 1}
      onOpen={open}
      header={
        <>
          <Heading text="Name, scope and owner" />
          {environments.map((name) => (
            <Heading key={name} text={name === 'none' ? 'every environment' : name} />
          ))}
        </>
      }
      row={(row, cell) => (
        <>
          <div {...cell(0)} class="cell name">
            <b>{row.name}</b>
            <ScopeTag scope={row.scope} owner={row.owner} />
          </div>
          {environments.map((name, index) => (
            <Cell key={name} row={row} environment={name} cell={cell(index + 1)} />
          ))}
        </>
      )}
    />
  );
}

function Cell(props: { readonly row: MatrixRow; readonly environment: string; readonly cell: CellProps }) {
  const { row, environment, cell } = props;
  const secret = row.cells.get(environment);
  if (secret !== undefined)
    return (
      <div {...cell} class={`cell there ${urgencyOf(secret)}`} title={titleOf(secret)}>
        {/* Within a narrow row, where no header stands above. */}
        <span class="short">{environment === 'none' ? 'every' : environment}</span>
        <span class="first">
          <span class="version">v{secret.version}</span>
          <span class="age">{span(now.value - bornAt(secret))}</span>
          {secret.next_rotation_at !== null && <span class="due">{dueWords(secret)}</span>}
        </span>
        <span class="second">
          {secret.last_rotated === null ? 'never rotated' : `rotated ${relative(secret.last_rotated)}`}
          {' · '}
          {secret.last_accessed_at === null ? 'never used' : `used ${relative(secret.last_accessed_at)}`}
        </span>
      </div>
    );
  const isGap = row.gaps.includes(environment);
  const isServed = environment !== 'none' && !isGap;
  return (
    <div {...cell} class={`cell ${isGap ? 'gap' : 'free'}`}>
      <span class="short">{environment === 'none' ? 'every' : environment}</span>
      {isGap && <span class="first">missing</span>}
      {isServed && <span class="second">served by every</span>}
    </div>
  );
}

function titleOf(secret: SecretMetadata): string {
  const rotated = secret.last_rotated === null ? 'never' : day(secret.last_rotated);
  const used = secret.last_accessed_at === null ? 'never' : day(secret.last_accessed_at);
  const due = secret.next_rotation_at === null ? 'no date' : day(secret.next_rotation_at);
  return `Version ${secret.version}\nRotated: ${rotated}\nUsed: ${used}\nDue: ${due}`;
}
