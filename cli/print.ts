import { type Terminal, visible } from './terminal.ts';

/** A table that prints rows as they come; a column grows when a later page needs it. */
export interface Table {
  add(rows: readonly (readonly string[])[]): void;
  /** Prints the header when no row came. */
  end(): void;
}

/** What stands for an absent thing in tables and blocks. */
export const ABSENT = '-';

/** Begins a table of columns that are padded to one width, two spaces apart. */
export function createTable(terminal: Terminal, header: readonly string[]): Table {
  let widths: readonly number[] = header.map((title) => title.length);
  let isBegun = false;
  const begin = (): void => {
    if (!isBegun) terminal.print(align(header, widths), 'bold');
    isBegun = true;
  };
  return {
    add: (given) => {
      // Before the widths are taken: a character that is written out takes more room.
      const rows = given.map((row) => row.map(visible));
      widths = widths.map((width, at) => Math.max(width, ...rows.map((row) => (row[at] ?? '').length)));
      begin();
      for (const row of rows) terminal.print(align(row, widths));
    },
    end: begin,
  };
}

function align(cells: readonly string[], widths: readonly number[]): string {
  return cells
    .map((cell, at) => cell.padEnd(widths[at] ?? 0))
    .join('  ')
    .trimEnd();
}

type Shown = string | number | null | Readonly<Record<string, string | number | boolean | null>>;

/** Prints `name: value` lines; a record becomes a line of its own with its entries indented below. */
export function printBlock(terminal: Terminal, lines: readonly (readonly [string, Shown])[]): void {
  for (const [name, value] of lines) {
    if (typeof value !== 'object' || value === null) {
      terminal.print(`${name}: ${value ?? ABSENT}`);
      continue;
    }
    const entries = Object.entries(value);
    terminal.print(entries.length === 0 ? `${name}: ${ABSENT}` : `${name}:`);
    for (const [key, label] of entries) terminal.print(`  ${key}: ${label}`);
  }
}

/** A moment to the second, or `-`. */
export function moment(time: string | null): string {
  return time === null ? ABSENT : time.replace(/\.\d+Z$/, 'Z');
}

/** The day of a moment, or `-`. */
export function day(time: string | null): string {
  return time === null ? ABSENT : time.slice(0, 10);
}

/** Where a secret stands, when that is not everywhere. */
export function placeOf(secret: {
  environment: string | null;
  pipeline_id: string | null;
  user: string | null;
}): string {
  const parts = [
    ...(secret.environment === null ? [] : [`environment ${secret.environment}`]),
    ...(secret.pipeline_id === null ? [] : [`pipeline ${secret.pipeline_id}`]),
    ...(secret.user === null ? [] : [`user ${secret.user}`]),
  ];
  return parts.length === 0 ? '' : ` for ${parts.join(', ')}`;
}
