import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useId, useLayoutEffect, useRef } from 'preact/hooks';

interface Props<Item> {
  readonly label: string;
  readonly items: readonly Item[];
  readonly keyOf: (item: Item) => string;
  /** Of every row, in rem. */
  readonly rowHeight: number;
  /** Cells that the arrow keys go through; the first is the row's own. */
  readonly columns: number;
  readonly header: ComponentChildren;
  /** The cells of a row, each with the attributes that {@link CellProps} gives for its column. */
  readonly row: (item: Item, cell: (column: number) => CellProps) => ComponentChildren;
  readonly onOpen?: (item: Item, column: number) => void;
  readonly className?: string;
  readonly rowClass?: (item: Item) => string;
  readonly style?: Readonly<Record<string, string | number>>;
}

export interface CellProps {
  readonly id: string;
  readonly role: 'gridcell' | 'rowheader';
  readonly 'aria-colindex': number;
  readonly 'data-active': boolean;
  readonly onClick: (event: Event) => void;
}

const OVERSCAN = 6;

/**
 * A grid of any number of rows, of which only those in sight exist. One stop for the Tab key; arrow keys, Home,
 * End, Page Up and Page Down go through it, Enter opens.
 */
export function VirtualRows<Item>(props: Props<Item>) {
  const { items, keyOf, rowHeight, columns, onOpen } = props;
  const id = useId();
  const grid = useRef<HTMLDivElement>(null);
  const top = useSignal(0);
  const height = useSignal(800);
  const active = useSignal({ row: 0, column: 0 });
  const rem = Number.parseFloat(getComputedStyle(document.documentElement).fontSize);
  const pixels = Math.round(rowHeight * rem);

  useLayoutEffect(() => {
    const element = grid.current;
    if (element === null) return;
    const observer = new ResizeObserver(() => {
      height.value = element.clientHeight;
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, [height]);

  const row = Math.min(active.value.row, Math.max(0, items.length - 1));
  const column = Math.min(active.value.column, columns - 1);
  const moveTo = (nextRow: number, nextColumn: number) => {
    const to = Math.max(0, Math.min(items.length - 1, nextRow));
    active.value = { row: to, column: Math.max(0, Math.min(columns - 1, nextColumn)) };
    const element = grid.current;
    if (element === null) return;
    const head = element.querySelector<HTMLElement>('.head')?.offsetHeight ?? 0;
    const above = to * pixels;
    if (above < element.scrollTop) element.scrollTop = above;
    const hidden = above + pixels + head - element.clientHeight;
    if (hidden > element.scrollTop) element.scrollTop = hidden;
  };
  const page = Math.max(1, Math.floor(height.value / pixels) - 2);
  const steps: Readonly<Record<string, readonly [number, number]>> = {
    ArrowDown: [row + 1, column],
    ArrowUp: [row - 1, column],
    ArrowRight: [row, column + 1],
    ArrowLeft: [row, column - 1],
    PageDown: [row + page, column],
    PageUp: [row - page, column],
    Home: [0, column],
    End: [items.length - 1, column],
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target !== grid.current) return;
    const step = steps[event.key];
    const item = items[row];
    if (step !== undefined) moveTo(...step);
    else if (event.key === 'Enter' && item !== undefined) onOpen?.(item, column);
    else return;
    event.preventDefault();
  };

  const from = Math.max(0, Math.floor(top.value / pixels) - OVERSCAN);
  const to = Math.min(items.length, Math.ceil((top.value + height.value) / pixels) + OVERSCAN);
  return (
    // biome-ignore lint/a11y/useSemanticElements: a table cannot leave out the rows that are not in sight
    <div
      ref={grid}
      role="grid"
      class={`rows ${props.className ?? ''}`}
      style={{ ...props.style, '--row': `${pixels}px` }}
      aria-label={props.label}
      aria-rowcount={items.length + 1}
      aria-colcount={columns}
      aria-activedescendant={items.length > 0 ? `${id}-${row}-${column}` : undefined}
      tabIndex={0}
      onKeyDown={onKeyDown}
      onScroll={(event) => {
        top.value = event.currentTarget.scrollTop;
      }}
    >
      {/** biome-ignore lint/a11y/useFocusableInteractive: the grid has the focus, and names the active cell */}
      {/** biome-ignore lint/a11y/useSemanticElements: see above */}
      <div role="row" class="head row" aria-rowindex={1}>
        {props.header}
      </div>
      {/** biome-ignore lint/a11y/useSemanticElements: see above */}
      <div role="rowgroup" class="body" style={{ height: `${items.length * pixels}px` }}>
        {items.slice(from, to).map((item, offset) => {
          const index = from + offset;
          return (
            // biome-ignore lint/a11y/useFocusableInteractive: see above
            // biome-ignore lint/a11y/useSemanticElements: see above
            <div
              key={keyOf(item)}
              role="row"
              class={`row ${props.rowClass?.(item) ?? ''}`}
              aria-rowindex={index + 2}
              style={{ transform: `translateY(${index * pixels}px)` }}
            >
              {props.row(item, (at) => ({
                id: `${id}-${index}-${at}`,
                role: at === 0 ? 'rowheader' : 'gridcell',
                'aria-colindex': at + 1,
                'data-active': index === row && at === column,
                onClick: (event) => {
                  // A button within the cell does its own.
                  if (event.target instanceof Element && event.target.closest('button, a')) return;
                  moveTo(index, at);
                  onOpen?.(item, at);
                },
              }))}
            </div>
          );
        })}
      </div>
    </div>
  );
}
