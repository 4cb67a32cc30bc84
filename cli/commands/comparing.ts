import type { Command } from '@commander-js/extra-typings';
import * as routes from '../../functions/routes.ts';
import type { SecretMetadata } from '../../shared/contract/secrets.ts';
import { flat } from '../api.ts';
import { ABSENT, createTable } from '../print.ts';
import { common, type Host, PAGE, type Tools, toolsOf } from '../tools.ts';

type Verdict = 'same' | 'different' | 'only-first' | 'only-second' | 'unknown';

interface Compared {
  readonly name: string;
  readonly scope: SecretMetadata['scope'];
  readonly owner: string | null;
  readonly first: Side | null;
  readonly second: Side | null;
  readonly value: Verdict;
}

interface Side {
  readonly version: number;
  readonly age_days: number;
}

/** `fm secrets diff` */
export function addComparing(secrets: Command, host: Host): void {
  common(secrets.command('diff').argument('<environment>').argument('<other>'))
    .description('which secrets two environments have, how old, and whether with the same value')
    .option('--prefix <text>', 'names that begin with this')
    .option('--changed', 'only where they differ')
    .action(async (first, second, options) => {
      const tools = toolsOf(host, options);
      const [one, other] = await Promise.all([
        secretsIn(tools, first, options.prefix),
        secretsIn(tools, second, options.prefix),
      ]);
      const all = compare(one, other);
      const rows = options.changed === true ? all.filter(({ value }) => value !== 'same') : all;
      if (tools.json) return tools.terminal.printJson(rows);
      const table = createTable(tools.terminal, [
        'NAME',
        'OWNER',
        first.toUpperCase(),
        second.toUpperCase(),
        'VALUE',
      ]);
      table.add(
        rows.map((row) => {
          const owner = row.owner ?? ABSENT;
          return [
            row.name,
            owner,
            sideText(row.first),
            sideText(row.second),
            verdictText(row.value, first, second),
          ];
        }),
      );
      table.end();
      if (rows.some(({ value }) => value === 'unknown'))
        tools.terminal.note('fm: whether values are the same is told to a key that may write them.');
    });
}

async function secretsIn({ api }: Tools, environment: string, prefix: string | undefined) {
  const secrets = new Map<string, SecretMetadata>();
  const pages = api.pages(routes.listSecrets, { environment, prefix, limit: PAGE });
  for await (const secret of flat(pages)) {
    const owner = secret.pipeline_id ?? secret.user ?? '';
    secrets.set(JSON.stringify([secret.name, secret.scope, owner]), secret);
  }
  return secrets;
}

function compare(
  one: ReadonlyMap<string, SecretMetadata>,
  other: ReadonlyMap<string, SecretMetadata>,
): Compared[] {
  const keys = [...new Set([...one.keys(), ...other.keys()])].sort();
  return keys.flatMap((key) => {
    const first = one.get(key);
    const second = other.get(key);
    const known = first ?? second;
    if (known === undefined) return [];
    const { name, scope, pipeline_id, user } = known;
    const owner = pipeline_id ?? user;
    return [
      { name, scope, owner, first: sideOf(first), second: sideOf(second), value: verdictOf(first, second) },
    ];
  });
}

/** By keyed fingerprint, never by value. */
export function verdictOf(first: SecretMetadata | undefined, second: SecretMetadata | undefined): Verdict {
  if (first === undefined) return 'only-second';
  if (second === undefined) return 'only-first';
  if (first.fingerprint === null || second.fingerprint === null) return 'unknown';
  return first.fingerprint === second.fingerprint ? 'same' : 'different';
}

const DAY_MS = 24 * 60 * 60 * 1000;

function sideOf(secret: SecretMetadata | undefined): Side | null {
  if (secret === undefined) return null;
  const since = Date.parse(secret.last_rotated ?? secret.created_at);
  return { version: secret.version, age_days: Math.max(0, Math.floor((Date.now() - since) / DAY_MS)) };
}

function sideText(side: Side | null): string {
  if (side === null) return ABSENT;
  return `v${side.version}, ${side.age_days === 1 ? '1 day' : `${side.age_days} days`}`;
}

function verdictText(verdict: Verdict, first: string, second: string): string {
  if (verdict === 'only-first') return `only ${first}`;
  return verdict === 'only-second' ? `only ${second}` : verdict;
}
