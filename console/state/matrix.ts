import { computed, signal } from '@preact/signals';
import type { SecretMetadata } from '../../shared/contract/secrets.ts';
import { urgencyOf } from './due.ts';
import { bornAt, environmentsInUse, ownerOf, secrets } from './secrets.ts';
import { caller } from './session.ts';
import { DAY, now } from './words.ts';

/** A name of one scope and owner, and where it exists. */
export interface MatrixRow {
  readonly key: string;
  readonly name: string;
  readonly scope: SecretMetadata['scope'];
  readonly owner: string;
  /** By environment; `none` serves them all. */
  readonly cells: ReadonlyMap<string, SecretMetadata>;
  /** Environments without it, where a run would find nothing though a neighbour has it. */
  readonly gaps: readonly string[];
  readonly oldest: number;
  readonly due: number;
  readonly used: number;
  readonly found: string;
}

/** The columns: `none` first, then as the deployment lists them, then what only secrets name. */
export const columns = computed<readonly string[]>(() => {
  const known = caller.value?.known_environments ?? [];
  const others = [...environmentsInUse.value].filter((name) => name !== 'none' && !known.includes(name));
  return ['none', ...known, ...others.sort()];
});

const rows = computed<readonly MatrixRow[]>(() => {
  const groups = new Map<string, SecretMetadata[]>();
  for (const secret of secrets.value) {
    const key = `${secret.name}#${secret.scope}#${ownerOf(secret)}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [secret]);
    else group.push(secret);
  }
  return [...groups].map(([key, group]) => rowOf(key, group, columns.value));
});

function rowOf(key: string, group: readonly SecretMetadata[], environments: readonly string[]): MatrixRow {
  const [first] = group as readonly [SecretMetadata];
  const cells = new Map(group.map((secret) => [secret.environment ?? 'none', secret]));
  const isLocal = !cells.has('none');
  const words = group.flatMap(({ description, metadata, created_by }) => [
    description ?? '',
    created_by,
    ...Object.entries(metadata).map(([label, value]) => `${label}=${value}`),
  ]);
  const owner = ownerOf(first);
  return {
    key,
    name: first.name,
    scope: first.scope,
    owner,
    cells,
    gaps: isLocal ? environments.filter((name) => name !== 'none' && !cells.has(name)) : [],
    oldest: Math.min(...group.map(bornAt)),
    due: Math.min(...group.map(({ next_rotation_at: at }) => (at === null ? Infinity : Date.parse(at)))),
    used: Math.max(...group.map(({ last_accessed_at: at }) => (at === null ? 0 : Date.parse(at)))),
    found: `${first.name} ${owner} ${words.join(' ')}`.toLowerCase(),
  };
}

const LONG_UNUSED_DAYS = 90;

/** Questions that owners ask, each with how many rows answer it. */
export const questions = {
  all: { label: 'All', test: () => true },
  overdue: { label: 'Overdue', test: has('overdue') },
  soon: { label: 'Due in 30 days', test: has('soon') },
  gaps: { label: 'Gaps', test: ({ gaps }: MatrixRow) => gaps.length > 0 },
  never: { label: 'Never used', test: ({ used }: MatrixRow) => used === 0 },
  idle: {
    label: 'Unused for 90 days',
    test: ({ used }: MatrixRow) => used > 0 && used < now.value - LONG_UNUSED_DAYS * DAY,
  },
} as const;
export type Question = keyof typeof questions;

function has(urgency: 'overdue' | 'soon') {
  return ({ cells }: MatrixRow) => [...cells.values()].some((secret) => urgencyOf(secret) === urgency);
}

export const orders = {
  name: { label: 'Name', compare: (a: MatrixRow, b: MatrixRow) => byText(a.key, b.key) },
  due: { label: 'Due first', compare: (a: MatrixRow, b: MatrixRow) => less(a.due, b.due) },
  oldest: { label: 'Oldest first', compare: (a: MatrixRow, b: MatrixRow) => less(a.oldest, b.oldest) },
  unused: { label: 'Longest unused', compare: (a: MatrixRow, b: MatrixRow) => less(a.used, b.used) },
  gaps: { label: 'Most gaps', compare: (a: MatrixRow, b: MatrixRow) => b.gaps.length - a.gaps.length },
} as const;
export type Order = keyof typeof orders;

export const search = signal('');
export const question = signal<Question>('all');
export const order = signal<Order>('name');
export const scope = signal<'' | MatrixRow['scope']>('');

const searched = computed(() => {
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  const wanted = scope.value;
  if (words.length === 0 && wanted === '') return rows.value;
  return rows.value.filter(
    (row) => (wanted === '' || row.scope === wanted) && words.every((word) => row.found.includes(word)),
  );
});

/** How many of what was searched for answer each question. */
export const answers = computed<Readonly<Record<Question, number>>>(() => {
  const counted = Object.entries(questions).map(([name, { test }]) => [
    name,
    searched.value.filter(test).length,
  ]);
  return Object.fromEntries(counted) as Record<Question, number>;
});

export const shownRows = computed(() => {
  const asked = searched.value.filter(questions[question.value].test);
  return order.value === 'name' ? asked : asked.toSorted(orders[order.value].compare);
});

function byText(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

/** Not a difference: two that are both infinite would make no number. */
function less(a: number, b: number): number {
  return a < b ? -1 : Number(a > b);
}
